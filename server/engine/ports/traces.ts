/** Reads for the links between traced jobs. */
import type { TracedStep } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';

/** A step that another one needs. */
export interface NeededStep extends TracedStep {
  /** The id of the job that needs it. */
  readonly of: string;
  /** Max jobs to return, if it has one for each item. */
  readonly most: number;
}

export interface NeededJob extends TraceOrigin {
  readonly of: string;
}

export interface StepTraces {
  /** By job, without missing ones. At most 1,000. */
  readLaneIds(jobIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Jobs of these steps, including adopted ones: the last of a loop, the first of a fan-out. At most 1,000 steps. */
  readNeededJobs(needs: readonly NeededStep[]): Promise<NeededJob[]>;
}
