/** Jobs of a workflow or a batch are paused and resumed with it. */
import type { Moment } from './decide.ts';
import { decidePauseIfPossible, decideResume } from './pause.ts';
import type { Change, OpenRun } from './run.ts';
import { graceLeftMs } from './suspension.ts';

/** What a job's definition says. */
export interface ChildSettings {
  /** How long its handler may take to stop. */
  readonly cancelGraceMs: number;
  readonly totalTimeoutMs: number | undefined;
  /** It is a workflow or a batch itself. */
  readonly hasChildren: boolean;
}

/**
 * Pauses the job if its workflow or batch, the parent, is PAUSED, else resumes it; one that somebody paused for itself
 * stays so. A wait for a signal or an approval continues. Undefined: nothing to do.
 */
export function decideWithParent(
  parent: Pick<OpenRun, 'jobId' | 'state' | 'suspension' | 'timeoutsStopped' | 'reason'>,
  run: OpenRun,
  { cancelGraceMs, totalTimeoutMs, hasChildren }: ChildSettings,
  moment: Moment,
): Change | undefined {
  if (parent.state !== 'PAUSED') return run.pausedWithParent ? decideResume(run, moment, totalTimeoutMs) : undefined;
  const leftMs = parent.suspension && graceLeftMs(parent.suspension.untilUs, moment.nowUs);
  const request = {
    reason: withParentText(parent.jobId, parent.reason),
    graceMs: leftMs ?? cancelGraceMs,
    childGraceMs: hasChildren ? leftMs : undefined,
    stopsTimeouts: parent.timeoutsStopped,
    withParent: true,
  };
  return decidePauseIfPossible(run, request, moment.nowUs);
}

/** Why a job is paused with its workflow or batch. */
export function withParentText(parentJobId: string, reason: string | null): string {
  return `job ${parentJobId}, to which it belongs, is paused${reason ? `: ${reason}` : ''}`;
}
