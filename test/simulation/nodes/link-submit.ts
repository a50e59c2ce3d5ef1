/** How the simulated nodes submit jobs. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DependencySchema } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import type { PlannedAct } from '../scenario/acts.ts';

export interface LinkSubmission {
  /** Names the call and the job. */
  readonly name: string;
  readonly definition: string;
  readonly input: object;
  readonly delayMs?: number | undefined;
  readonly expireMs?: number | undefined;
  readonly dependencies?: readonly MessageInitShape<typeof DependencySchema>[];
  readonly acts: readonly PlannedAct[];
}

/** Resolves with the job's id. */
export type LinkSubmit = (job: LinkSubmission) => Promise<string>;
