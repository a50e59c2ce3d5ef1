/** What one advance of a workflow works with. */
import type { InnerStore } from '../jobs/submit/inner-jobs.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';
import type { Body } from './bodies.ts';
import type { KnownSteps } from './steps/expected-steps.ts';
import type { StepWait } from './steps/external-dependencies.ts';
import type { FanOutLists } from './steps/fan-out-lists.ts';
import type { StepJobs } from './steps/jobs.ts';

export interface AdvanceParts {
  readonly store: InnerStore & Pick<Store, 'workflows' | 'stepCache' | 'readEndedJobs'>;
  readonly stepJobs: StepJobs;
  readonly namespace: string;
  readonly body: Body;
  readonly workflow: LockedWorkflow;
  readonly lists: FanOutLists;
  /** Jobs that may be made in this transaction. */
  readonly mostJobs: number;
  /** Read with the lock. */
  readonly known: KnownSteps;
  /** For the one step of it that is locked. Undefined: nothing is. */
  readonly wait: StepWait | undefined;
}
