/** The job definitions of the simulation, each with a trait of its own. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import type { CircuitBreakerSchema } from '../../../sdk/typescript/src/gen/muster/v1/circuit_breaker_pb.ts';
import {
  CleanupCondition,
  type JobDefinition,
  JobDefinitionSchema,
  LeaseLossAction,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import type { JobState } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  Backoff,
  ExhaustionAction,
  Jitter,
  RetryAction,
  RetryCause,
  type RetryPolicySchema,
} from '../../../sdk/typescript/src/gen/muster/v1/retry_policy_pb.ts';
import {
  DeadlineReaction,
  type SoftDeadlineSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/soft_deadline_pb.ts';

/** Run timeout of `timed` and `prolonged`, in ms, without extensions. */
export const RUN_TIMEOUT_MS = 900;
export const CANCEL_GRACE_MS = 800;
export const MAX_ATTEMPTS = 4;
/** Counted attempts of a clean-up, whatever the definition says. */
export const CLEANUP_MAX_ATTEMPTS = 20;
/** Queue timeout and total timeout of `hasty`, in ms. */
export const QUEUE_TIMEOUT_MS = 2_500;
export const TOTAL_TIMEOUT_MS = 7_000;
/** Soft deadlines of `hasty`, `steady` and `seated`, from when they may run, in ms. */
export const SOFT_DEADLINES_MS = { hasty: 3_000, steady: 1_500, seated: 6_000 };
/** The priority of `steady` after its miss. */
export const RAISED_PRIORITY = 50;
/** Maximum silence of an attempt of `watched`, and the minimum progress per window. */
export const PROGRESS_TIMEOUT_MS = 2_500;
export const WATCHDOG = { minFraction: 0.3, windowMs: 3_000 };
/** Retries of `rationed` per minute: a fixed number, or a ratio of its first attempts. */
export const BUDGET = { ratio: 0.5, minPerMinute: 3 };
/** Limits: held jobs of `crowded` per batch; held jobs of `narrow`, and its starts per period. */
export const CROWDED_MAX = 2;
export const NARROW_MAX = 3;
export const NARROW_RATE = { units: 3, periodMs: 1_000, burst: 4 };
/** Debounce wait of `edited`, and throttle period of `alarm`. */
export const EDITED_WAIT_MS = 600;
export const ALARM_PERIOD_MS = 2_000;
/** `single` has at most one job in these states. */
const OPEN = [1, 2, 3, 4, 5, 6, 7, 8] satisfies JobState[];
/** The resources of each worker, the additional ones of the first, and the initial and maximum demands of `growing`. */
export const WORKER_RESOURCES: Readonly<Record<string, number>> = { gpu: 2, memory: 1_000 };
export const FIRST_WORKER_RESOURCES = { ...WORKER_RESOURCES, seat: 2 };
export const GROWING = { memory: 300, factor: 2, max: 1_000 };
export const BREAKER_OPEN_MS = 1_500;
export const CLEANUP_HANDLER = 'tidy-up';
/** How long a job waits for a signal or an approval. */
export const WAIT_TIMEOUT_MS = 9_000;
/** Held jobs of `parent`: if waiting parents counted, no parent could have a parent as its child. */
export const PARENT_MAX = 1;
/** The asset of `publisher`. */
export const ASSET = 'sales';
/** The other one is `default`. */
export const SLOW_QUEUE = 'slow';
export const queues = ['default', SLOW_QUEUE];

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

const asPlain = { body: { case: 'task', value: { handler: 'plain' } } } as const;

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

const BATCH = 'has(labels.batch) ? labels.batch : "none"';

/** Two definitions share the breaker of the shop. */
const shop = breaker({ name: 'shop', failureThreshold: 3, types: ['Refused'] });

function breaker(rest: Fields<MessageInitShape<typeof CircuitBreakerSchema>>) {
  return { window: durationFromMs(20_000), openDuration: durationFromMs(BREAKER_OPEN_MS), ...rest };
}

function softDeadline(
  of: keyof typeof SOFT_DEADLINES_MS,
  rest: Fields<MessageInitShape<typeof SoftDeadlineSchema>> = {},
) {
  return { due: { case: 'after' as const, value: durationFromMs(SOFT_DEADLINES_MS[of]) }, ...rest };
}

export const definitions: readonly JobDefinition[] = [
  definition('plain'),
  definition('stubborn', { leaseLossAction: LeaseLossAction.CONTINUE }),
  definition('timed', {
    runTimeout: durationFromMs(RUN_TIMEOUT_MS),
    body: {
      case: 'task',
      value: {
        handler: 'timed',
        cleanupHandler: CLEANUP_HANDLER,
        cleanupTimeout: durationFromMs(5_000),
        cleanupAfter: CleanupCondition.UNSUCCESSFUL,
      },
    },
  }),
  definition('zoned', { demands: { labels: { zone: 'a' } } }),
  definition('ruled', {}, ruled),
  definition(
    'listed',
    { queue: SLOW_QUEUE },
    {
      backoff: Backoff.LIST,
      jitter: Jitter.NONE,
      delays: [120, 500, 200].map((ms) => durationFromMs(ms)),
      limits: { application: 3, infrastructure: 2, lostWorker: 1 },
      onExhaustion: ExhaustionAction.PAUSE,
    },
  ),
  definition(
    'steady',
    {
      queue: SLOW_QUEUE,
      softDeadline: softDeadline('steady', {
        reaction: DeadlineReaction.RAISE_PRIORITY,
        priority: RAISED_PRIORITY,
      }),
    },
    { backoff: Backoff.CONSTANT, jitter: Jitter.NONE, minBackoff: durationFromMs(250) },
  ),
  definition('hasty', {
    queueTimeout: durationFromMs(QUEUE_TIMEOUT_MS),
    totalTimeout: durationFromMs(TOTAL_TIMEOUT_MS),
    softDeadline: softDeadline('hasty'),
  }),
  definition('watched', {
    progressTimeout: durationFromMs(PROGRESS_TIMEOUT_MS),
    progressWatchdog: { minFraction: WATCHDOG.minFraction, window: durationFromMs(WATCHDOG.windowMs) },
  }),
  definition('tidy', {
    queue: SLOW_QUEUE,
    body: {
      case: 'task',
      value: { handler: 'tidy', cleanupHandler: CLEANUP_HANDLER, cleanupTimeout: durationFromMs(5_000) },
    },
  }),
  definition('prolonged', { runTimeout: durationFromMs(RUN_TIMEOUT_MS) }),
  definition('buyer', { circuitBreaker: shop }),
  definition('seller', { circuitBreaker: shop, queue: SLOW_QUEUE }),
  definition('guarded', { circuitBreaker: breaker({ failureThreshold: 2 }) }),
  definition('rationed', { retryBudget: BUDGET }),
  definition('crowded', { fairnessKey: BATCH, keyLimit: { key: BATCH, maxConcurrency: CROWDED_MAX } }),
  definition('narrow', {
    queue: SLOW_QUEUE,
    maxConcurrency: NARROW_MAX,
    rateLimit: { units: NARROW_RATE.units, period: durationFromMs(NARROW_RATE.periodMs), burst: NARROW_RATE.burst },
  }),
  definition('single', { uniqueness: { fields: ['matching'], states: OPEN } }),
  definition('edited', { debounce: { fields: ['matching'], wait: durationFromMs(EDITED_WAIT_MS) } }),
  definition('alarm', {
    queue: SLOW_QUEUE,
    throttle: { fields: ['matching'], period: durationFromMs(ALARM_PERIOD_MS) },
  }),
  definition('light', { demands: { resources: { gpu: 1 }, preferred: 'labels.zone == "a"' } }),
  definition('seated', {
    demands: { resources: { seat: 1 } },
    softDeadline: softDeadline('seated', { reaction: DeadlineReaction.CANCEL }),
  }),
  definition('couple', { demands: { resources: { seat: 2 } } }),
  definition('huge', { demands: { resources: { gpu: 2, memory: 100 } } }),
  definition('growing', {
    demands: {
      resources: { memory: GROWING.memory },
      memoryGrowth: { factor: GROWING.factor, max: GROWING.max },
    },
  }),
  definition('chosen', { demands: { required: 'labels.zone == "a"' } }),
];

/** A job of `signal` waits for the signal of its key, one of `sign-off` for an approval. */
const waits: readonly JobDefinition[] = [
  create(JobDefinitionSchema, {
    name: 'signal',
    body: { case: 'wait', value: { kind: { case: 'signal', value: { name: 'signal', key: 'input.key' } } } },
    runTimeout: durationFromMs(WAIT_TIMEOUT_MS),
  }),
  create(JobDefinitionSchema, {
    name: 'sign-off',
    body: { case: 'wait', value: { kind: { case: 'approval', value: {} } } },
    runTimeout: durationFromMs(WAIT_TIMEOUT_MS),
  }),
];

/**
 * Definitions of jobs that wait for signals, approvals, other jobs and children. Workers need no handlers but `plain`.
 */
export const linkDefinitions: readonly JobDefinition[] = [
  ...waits,
  definition('publisher', { ...asPlain, publishes: [ASSET] }),
  definition('parent', { ...asPlain, maxConcurrency: PARENT_MAX }),
];

export const definitionOf: ReadonlyMap<string, JobDefinition> = new Map(
  [...definitions, ...linkDefinitions].map((one) => [one.name, one]),
);

/** Whether the definition waits for a signal or an approval, which the control plane runs. */
export function isWait(definition: string | undefined): boolean {
  return waits.some(({ name }) => name === definition);
}

/** Name of the breaker of a definition's jobs. */
export function breakerOf(definition: string): string | undefined {
  const { circuitBreaker } = definitionOf.get(definition) ?? {};
  return circuitBreaker && (circuitBreaker.name || definition);
}

export const handlerNames = [...definitions.map(({ name }) => name), CLEANUP_HANDLER];
