/** Requests for queues, workers and breakers, whatever jobs they affect; and schedules. */
import { CatchUpPolicy, OverlapPolicy } from '../../../sdk/typescript/src/gen/muster/v1/schedule_pb.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import { queues } from './definitions.ts';

export interface PlannedSchedule {
  readonly kind: 'keepSchedule';
  readonly at: number;
  readonly name: string;
  readonly overlap: OverlapPolicy;
  readonly catchUp: CatchUpPolicy;
  /** Duration of its jobs' work. */
  readonly jobMs: number;
  /** Maximum delay of each start. */
  readonly jitterMs: number;
  /** Times of its manual triggers, in ms after its creation. */
  readonly triggers: readonly number[];
  /** Times of changes to other fields than its times, each with a new jitter. */
  readonly changes: readonly { readonly ms: number; readonly jitterMs: number }[];
  readonly forMs: number;
}

export type PlannedUpkeep =
  | PlannedSchedule
  | { readonly kind: 'pauseQueue'; readonly at: number; readonly queue: string; readonly forMs: number }
  | { readonly kind: 'drainWorker'; readonly at: number }
  | { readonly kind: 'closeBreaker'; readonly at: number; readonly breaker: string };

interface Span {
  readonly until: number;
  readonly leaseMs: number;
}

function times(random: Prng, most: number, until: number): number[] {
  return Array.from({ length: random.int(0, most) }, () => random.between(0.05, 0.95) * until);
}

export function planUpkeep(random: Prng, { until, leaseMs }: Span): PlannedUpkeep[] {
  const pauses = times(random, 4, until).map((at) => {
    const forMs = random.pick([0.05, 0.5, 2, 3]) * leaseMs * random.between(0.5, 1.5);
    return { kind: 'pauseQueue', at, queue: random.pick(queues), forMs } as const;
  });
  const drains = times(random, 2, until).map((at) => ({ kind: 'drainWorker', at }) as const);
  const closes = times(random, 1, until).map((at) => {
    const breaker = random.pick(['shop', 'shop', 'guarded']);
    return { kind: 'closeBreaker', at, breaker } as const;
  });
  return [...pauses, ...drains, ...closes, ...planSchedules(random, until)];
}

/** Mostly without jitter. With a jitter of more than a second each start still precedes the next time. */
function planTimes(random: Prng, forMs: number): Pick<PlannedSchedule, 'jitterMs' | 'changes'> {
  const jitter = () => random.pick([0, 0, 600, 5_000]);
  const jitterMs = jitter();
  const changes = times(random, 2, forMs).map((ms) => ({ ms, jitterMs: random.pick([jitterMs, jitterMs, jitter()]) }));
  return { jitterMs, changes };
}

/** Each fires once per second for some seconds. */
function planSchedules(random: Prng, until: number): PlannedSchedule[] {
  return times(random, 2, until).map((at, i) => {
    const forMs = random.between(1_000, 25_000);
    return {
      kind: 'keepSchedule',
      at,
      name: `schedule-${i}`,
      overlap: random.pick(Object.values(OverlapPolicy)),
      catchUp: random.pick(Object.values(CatchUpPolicy)),
      jobMs: random.between(1, 2_500),
      triggers: times(random, 2, forMs),
      forMs,
      ...planTimes(random, forMs),
    };
  });
}
