/** When the steps of a workflow ran: from the creation of their jobs to their ends, including waits and retries. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { StepState, type WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import type { DrawnWorkflow } from './drawn-workflow.ts';

/** In milliseconds since the workflow's job was created. */
export interface StepSpan {
  readonly step: WorkflowStepRun;
  /** Its name: the step's, or that of its compensation. */
  readonly name: string;
  readonly state: StepState;
  readonly jobId: string;
  readonly from: number;
  /** Undefined: it has ended, and the time is not stored. */
  readonly to: number | undefined;
}

export interface Timeline {
  readonly spans: readonly StepSpan[];
  /** Up to its end, or up to now. */
  readonly lengthMs: number;
  /** Steps that have no job. */
  readonly without: number;
}

export function timelineOf({ job, steps }: DrawnWorkflow, nowMs: number): Timeline {
  const start = ms(job.createTime) ?? nowMs;
  const end = Math.max(ms(job.endTime) ?? nowMs, start + 1);
  const spans = steps.flatMap((step): StepSpan[] => {
    const { name, compensation } = step;
    const own = spanOf(step, name, step, start, end);
    const undo = compensation && spanOf(step, `${name} (undone)`, compensation, start, end);
    return [own, undo].filter((span) => span !== undefined);
  });
  const latest = Math.max(end - start, ...spans.map(({ from, to = 0 }) => Math.max(from, to)));
  return {
    spans: spans.toSorted((a, b) => a.from - b.from || a.step.number - b.step.number),
    lengthMs: latest,
    without: steps.filter(({ startTime }) => startTime === undefined).length,
  };
}

function spanOf(
  step: WorkflowStepRun,
  name: string,
  run: Pick<WorkflowStepRun, 'state' | 'jobId' | 'startTime' | 'endTime'>,
  start: number,
  end: number,
): StepSpan | undefined {
  const { state, jobId } = run;
  const from = ms(run.startTime);
  if (from === undefined) return undefined;
  const to = ms(run.endTime) ?? (state === StepState.RUNNING ? end : undefined);
  return { step, name, state, jobId, from: from - start, to: to === undefined ? undefined : to - start };
}

function ms(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}
