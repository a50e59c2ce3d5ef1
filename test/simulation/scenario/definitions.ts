/** The job definitions of the simulation, each with a trait of its own. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import {
  type JobDefinition,
  JobDefinitionSchema,
  LeaseLossAction,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';

/** Longest time that a handler of `timed` may run, in ms. */
export const RUN_TIMEOUT_MS = 900;
export const CANCEL_GRACE_MS = 800;
export const MAX_ATTEMPTS = 4;

function definition(
  name: string,
  rest: Partial<Parameters<typeof create<typeof JobDefinitionSchema>>[1]> = {},
): JobDefinition {
  return create(JobDefinitionSchema, {
    name,
    body: { case: 'task', value: { handler: name } },
    cancelGrace: durationFromMs(CANCEL_GRACE_MS),
    retryPolicy: {
      maxAttempts: MAX_ATTEMPTS,
      minBackoff: durationFromMs(50),
      maxBackoff: durationFromMs(800),
      multiplier: 2,
      nonRetryableTypes: ['Fatal'],
    },
    ...rest,
  } as never);
}

export const definitions: readonly JobDefinition[] = [
  definition('plain'),
  definition('stubborn', { leaseLossAction: LeaseLossAction.CONTINUE }),
  definition('timed', { runTimeout: durationFromMs(RUN_TIMEOUT_MS) }),
  definition('zoned', { demands: { labels: { zone: 'a' } } }),
];

export const handlerNames = definitions.map(({ name }) => name);
