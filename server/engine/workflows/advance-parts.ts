/** The parameters of one advance of a workflow. */
import type { InnerStore } from '../jobs/submit/inner-jobs.ts';
import type { Expressions } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';
import type { Body } from './bodies.ts';
import type { KnownSteps } from './steps/expected-steps.ts';
import type { StepWait } from './steps/external-dependencies.ts';
import type { FanOutLists } from './steps/fan-out-lists.ts';
import type { StepJobs } from './steps/jobs.ts';
import type { StartLimits } from './steps/start-budget.ts';

export interface AdvanceParts {
  readonly store: InnerStore & Pick<Store, 'workflows' | 'stepCache' | 'readEndedJobs'>;
  readonly stepJobs: StepJobs;
  readonly expressions: Expressions;
  readonly namespace: string;
  readonly body: Body;
  readonly workflow: LockedWorkflow;
  readonly lists: FanOutLists;
  /** Bounds of the jobs made in this transaction. */
  readonly startLimits: StartLimits;
  /** Steps that were read with the lock. */
  readonly known: KnownSteps;
  /** For the one step whose dependencies are locked. Undefined: none are. */
  readonly wait: StepWait | undefined;
}
