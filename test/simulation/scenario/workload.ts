/** What clients want in one simulation: jobs of every kind, some cancelled, some submitted twice. */
import { Prng } from '../core/prng.ts';
import type { HandlerScript } from '../nodes/handler-script.ts';

/** When a job is cancelled: at a time, or so many ms after it was first assigned or started. */
export type CancelPlan =
  | { readonly when: 'later'; readonly ms: number }
  | { readonly when: 'assigned' | 'started'; readonly ms: number };

export interface PlannedJob {
  readonly definition: string;
  readonly script: HandlerScript;
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly expireMs: number | undefined;
  /** Business key; two plans may share one. */
  readonly key: string | undefined;
  readonly cancel: CancelPlan | undefined;
  readonly waits: boolean;
}

/** One call of SubmitJobs. */
export interface PlannedCall {
  readonly name: string;
  readonly at: number;
  readonly jobs: readonly PlannedJob[];
  readonly hasRequestId: boolean;
}

export interface WorkloadShape {
  readonly calls: number;
  /** Calls are made until then, in ms. */
  readonly until: number;
  readonly leaseMs: number;
}

function scriptOf(random: Prng, owner: string, definition: string, leaseMs: number): HandlerScript {
  const long = random.chance(0.25);
  const ms = long ? random.between(0.3, 3.5) * leaseMs : random.pick([1, 5, 20, 60, 300]);
  const troubled = random.chance(0.25);
  return {
    owner,
    ms: definition === 'timed' && random.chance(0.5) ? 20_000 : Math.round(ms),
    steps: long ? random.int(0, 4) : random.pick([0, 0, 1]),
    fails: troubled ? random.pick([1, 1, 2, 3, 99]) : 0,
    failure: random.chance(0.15) ? 'Fatal' : 'Trouble',
    final: random.chance(0.1),
    kills: random.chance(0.015),
    deaf: random.chance(0.15),
  };
}

function cancelOf(random: Prng, leaseMs: number): CancelPlan | undefined {
  if (!random.chance(0.25)) return undefined;
  const when = random.pick(['later', 'assigned', 'started'] as const);
  if (when === 'later')
    return { when, ms: random.chance(0.4) ? random.between(0, 20) : random.between(0, 2 * leaseMs) };
  return { when, ms: random.chance(0.6) ? random.between(0, 4) : random.between(0, leaseMs) };
}

function jobOf(random: Prng, owner: string, leaseMs: number): PlannedJob {
  const definition = random.pick(['plain', 'plain', 'plain', 'stubborn', 'timed', 'zoned']);
  return {
    definition,
    script: scriptOf(random, owner, definition, leaseMs),
    priority: random.pick([0, 0, 0, 5, -5]),
    delayMs: random.chance(0.15) ? random.between(1, leaseMs) : undefined,
    expireMs: random.chance(0.1) ? random.between(5, leaseMs) : undefined,
    key: undefined,
    cancel: cancelOf(random, leaseMs),
    waits: random.chance(0.15),
  };
}

/** The job of a business key: nearly always the same one, so that repeats find it and impostors are refused. */
function keyedJob(random: Prng, key: string, leaseMs: number): PlannedJob {
  const impostor = random.chance(0.15);
  const job = jobOf(new Prng(impostor ? `${key} impostor` : key), key, leaseMs);
  return { ...job, key, expireMs: undefined, cancel: cancelOf(random, leaseMs), waits: random.chance(0.15) };
}

export function planWorkload(random: Prng, shape: WorkloadShape): PlannedCall[] {
  const bursts = Array.from({ length: 3 }, () => random.between(0, shape.until));
  return Array.from({ length: shape.calls }, (_, call) => {
    const at = random.chance(0.4) ? random.pick(bursts) + random.between(0, 30) : random.between(0, shape.until);
    // A call may not name a key twice.
    const keys = new Set<string>();
    const jobs = Array.from({ length: random.chance(0.7) ? 1 : random.int(2, 6) }, (_, i) => {
      const key = random.chance(0.3) ? `key-${random.int(1, 12)}` : undefined;
      if (key === undefined || keys.has(key)) return jobOf(random, `call-${call}.${i}`, shape.leaseMs);
      keys.add(key);
      return keyedJob(random, key, shape.leaseMs);
    });
    return { name: `call-${call}`, at, jobs, hasRequestId: random.chance(0.7) };
  });
}
