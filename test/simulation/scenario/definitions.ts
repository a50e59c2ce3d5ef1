/** The job definitions of the simulation, each with a trait of its own. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import {
  type JobDefinition,
  JobDefinitionSchema,
  LeaseLossAction,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import {
  Backoff,
  Jitter,
  RetryAction,
  RetryCause,
  type RetryPolicySchema,
} from '../../../sdk/typescript/src/gen/muster/v1/retry_policy_pb.ts';

/** Longest time that a handler of `timed` may run, in ms. */
export const RUN_TIMEOUT_MS = 900;
export const CANCEL_GRACE_MS = 800;
export const MAX_ATTEMPTS = 4;
/** Attempts of a clean-up that may count, whatever the definition says. */
export const CLEANUP_MAX_ATTEMPTS = 20;
/** From when a job of `hasty` may run to its first attempt, and to its end. */
export const QUEUE_TIMEOUT_MS = 2_500;
export const TOTAL_TIMEOUT_MS = 7_000;
/** How long an attempt of `watched` may say nothing, and by how much it must get on in which time. */
export const PROGRESS_TIMEOUT_MS = 2_500;
export const WATCHDOG = { minFraction: 0.3, windowMs: 3_000 };
export const CLEANUP_HANDLER = 'tidy-up';

type Fields<T> = Exclude<T, { $typeName: string }>;
type Policy = Partial<Fields<MessageInitShape<typeof RetryPolicySchema>>>;
type Rest = Fields<MessageInitShape<typeof JobDefinitionSchema>>;

function definition(name: string, rest: Rest = {}, policy: Policy = {}): JobDefinition {
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
      ...policy,
    },
    ...rest,
  } satisfies Rest as Rest);
}

/** Each action of a rule, by type, by exit code and by cause. */
const ruled: Policy = {
  backoff: Backoff.LINEAR,
  jitter: Jitter.NONE,
  minBackoff: durationFromMs(150),
  maxBackoff: durationFromMs(400),
  rules: [
    { types: ['Busy'], action: RetryAction.IGNORE, delay: durationFromMs(200) },
    { types: ['Locked'], action: RetryAction.PAUSE },
    { types: ['Broken'], action: RetryAction.FAIL },
    { exitCodes: [75], action: RetryAction.RETRY, delay: durationFromMs(350) },
    { causes: [RetryCause.LOST_WORKER], action: RetryAction.RETRY, delay: durationFromMs(300) },
  ],
};

export const definitions: readonly JobDefinition[] = [
  definition('plain'),
  definition('stubborn', { leaseLossAction: LeaseLossAction.CONTINUE }),
  definition('timed', { runTimeout: durationFromMs(RUN_TIMEOUT_MS) }),
  definition('zoned', { demands: { labels: { zone: 'a' } } }),
  definition('ruled', {}, ruled),
  definition(
    'listed',
    {},
    {
      backoff: Backoff.LIST,
      jitter: Jitter.NONE,
      delays: [120, 500, 200].map((ms) => durationFromMs(ms)),
      limits: { application: 3, infrastructure: 2, lostWorker: 2 },
    },
  ),
  definition('steady', {}, { backoff: Backoff.CONSTANT, jitter: Jitter.NONE, minBackoff: durationFromMs(250) }),
  definition('hasty', {
    queueTimeout: durationFromMs(QUEUE_TIMEOUT_MS),
    totalTimeout: durationFromMs(TOTAL_TIMEOUT_MS),
  }),
  definition('watched', {
    progressTimeout: durationFromMs(PROGRESS_TIMEOUT_MS),
    progressWatchdog: { minFraction: WATCHDOG.minFraction, window: durationFromMs(WATCHDOG.windowMs) },
  }),
  definition('tidy', {
    body: {
      case: 'task',
      value: { handler: 'tidy', cleanupHandler: CLEANUP_HANDLER, cleanupTimeout: durationFromMs(5_000) },
    },
  }),
];

export const definitionOf: ReadonlyMap<string, JobDefinition> = new Map(definitions.map((one) => [one.name, one]));

export const handlerNames = [...definitions.map(({ name }) => name), CLEANUP_HANDLER];
