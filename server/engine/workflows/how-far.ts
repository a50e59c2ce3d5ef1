/** Progress of a running workflow, read from its stored steps. */
import { estimatedEndUs, type StepTimes, shareDone } from '../../domain/workflows/estimate.ts';
import type { Phase } from '../../domain/workflows/phases.ts';
import type { StepState } from '../../domain/workflows/step-state.ts';
import type { Workflow } from '../../domain/workflows/workflow.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { JobView } from '../ports/jobs.ts';
import type { HowFar, StepRecord, WorkflowReads } from '../ports/workflows.ts';
import { bodyOf } from './bodies.ts';

/** Max running steps read, max ended steps, and max ended steps per definition. */
const [MAX_RUNNING, MAX_ENDED, MAX_SIMILAR] = [200, 200, 20];

interface Parts {
  readonly store: Pick<WorkflowReads, 'readStates' | 'readSteps' | 'hasWaiting'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
}

/**
 * Without an estimate while a person or an event is awaited: no duration says when those come.
 *
 * @param phase Undefined: the workflow has not started.
 */
export async function readHowFar(
  { store, clock }: Parts,
  workflow: Workflow,
  { jobId, state }: Pick<JobView, 'jobId' | 'state'>,
  phase: Phase | undefined,
): Promise<HowFar> {
  if (!phase) return { progress: 0, estimatedEndUs: undefined };
  const states = new Map((await store.readStates(jobId, -1)).map(({ step, state }) => [step, state]));
  const records = await store.readSteps(jobId, reportedSteps(workflow, states));
  const { graph } = bodyOf({ name: jobId, workflow });
  const times = new Map(records.map((record) => [record.step, timesOf(record)]));
  const soFar = { phase, states, times, nowUs: clock.nowUs() };
  const endUs = estimatedEndUs(graph, soFar);
  const waits = endUs !== undefined && (state === 'PAUSED' || (await store.hasWaiting(jobId)));
  return { progress: shareDone(graph, soFar), estimatedEndUs: waits ? undefined : endUs };
}

/** Running steps, fan-outs first, and some ended ones of each definition that had a job. */
function reportedSteps({ steps }: Workflow, states: ReadonlyMap<number, StepState>): number[] {
  const isWide = (step: number) => (steps[step]?.fanOut ? 0 : 1);
  const running = [...states].flatMap(([step, state]) => (state === 'RUNNING' ? [step] : []));
  const similar = new Map<string, number>();
  const ended = [...states].flatMap(([step, state]) => {
    const definition = steps[step]?.definition ?? '';
    const count = similar.get(definition) ?? 0;
    if ((state !== 'SUCCEEDED' && state !== 'FAILED') || isWide(step) === 0 || count >= MAX_SIMILAR) return [];
    similar.set(definition, count + 1);
    return [step];
  });
  const first = running.toSorted((a, b) => isWide(a) - isWide(b)).slice(0, MAX_RUNNING);
  return [...first, ...ended.slice(0, MAX_ENDED)];
}

function timesOf({ startTimeUs, endTimeUs, fanOut, cached }: StepRecord): StepTimes {
  // A cached result does not show how long a job takes.
  if (cached) return { startTimeUs: undefined, endTimeUs: undefined, items: undefined };
  if (!fanOut) return { startTimeUs, endTimeUs, items: undefined };
  const { size, succeeded, failed, late } = fanOut;
  return { startTimeUs, endTimeUs, items: { size, ended: succeeded + failed + late } };
}
