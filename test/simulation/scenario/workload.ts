/** The clients' plans of one simulation: jobs of every kind, some submitted twice, and later requests for them. */
import { Prng } from '../../../server/tools/simulate/prng.ts';
import type { HandlerScript } from '../nodes/handler-script.ts';
import { type PlannedAct, type PlannedSweep, planActs, planSweeps } from './acts.ts';
import { type PlannedUpkeep, planUpkeep } from './upkeep.ts';

export interface PlannedJob {
  readonly definition: string;
  readonly script: HandlerScript;
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly expireMs: number | undefined;
  /** Business key; two plans may share one. */
  readonly key: string | undefined;
  /** Takes the key from the job that has it, which is cancelled. */
  readonly replaces: boolean;
  /** A label: jobs of a batch are cancelled and retried together. */
  readonly batch: string | undefined;
  readonly acts: readonly PlannedAct[];
  readonly waits: boolean;
  /** Requires or prefers the worker of another job of its definition, if one was assigned by then. */
  readonly sticky: 'SOFT' | 'HARD' | undefined;
}

/** One call of SubmitJobs. */
export interface PlannedCall {
  readonly name: string;
  readonly at: number;
  readonly jobs: readonly PlannedJob[];
  readonly hasRequestId: boolean;
}

export interface Workload {
  readonly calls: readonly PlannedCall[];
  readonly sweeps: readonly PlannedSweep[];
  readonly upkeep: readonly PlannedUpkeep[];
}

export interface WorkloadShape {
  readonly calls: number;
  /** Calls are made until then, in ms. */
  readonly until: number;
  readonly leaseMs: number;
}

const kinds = [
  ...['plain', 'plain', 'plain', 'plain', 'plain', 'stubborn', 'stubborn', 'timed', 'timed', 'zoned', 'zoned'],
  ...['ruled', 'ruled', 'ruled', 'listed', 'steady', 'hasty', 'watched', 'tidy', 'tidy', 'tidy', 'tidy'],
  ...['prolonged', 'buyer', 'seller', 'guarded', 'rationed', 'rationed'],
  ...['crowded', 'crowded', 'crowded', 'narrow', 'narrow', 'narrow'],
  ...['light', 'light', 'light', 'huge', 'huge', 'growing', 'growing', 'chosen'],
];

const failureTypes: Readonly<Record<string, readonly string[]>> = {
  ruled: ['Busy', 'Busy', 'Locked', 'Locked', 'Broken', 'Exit', 'Exit', 'Trouble'],
  buyer: ['Refused', 'Refused', 'Refused', 'Trouble'],
  seller: ['Refused', 'Refused', 'Refused', 'Trouble'],
  growing: ['OutOfMemory', 'OutOfMemory', 'Trouble'],
};

/** Jobs of definitions with retry policies fail more often than the others. */
const troubles: Readonly<Record<string, number>> = {
  ...{ ruled: 0.85, listed: 0.7, steady: 0.6 },
  ...{ buyer: 0.7, seller: 0.7, guarded: 0.7, rationed: 0.7, growing: 0.7 },
};

/** Share of jobs that run longer than all of their limits. */
const overrunning: Readonly<Record<string, number>> = { timed: 0.5, hasty: 0.3 };

/** A handler that knows that it needs more than its run timeout; some need more than they request. */
const prolonged = {
  extensions: [
    { atMs: 300, totalMs: 1_000 },
    { atMs: 1_400, totalMs: 6_000 },
  ],
  times: [300, 1_700, 4_500, 20_000],
};

function troubleOf(random: Prng, definition: string) {
  const troubled = random.chance(troubles[definition] ?? 0.25);
  const failure = random.chance(0.1) ? 'Fatal' : random.pick(failureTypes[definition] ?? ['Trouble']);
  return {
    fails: troubled ? random.pick([1, 1, 2, 3, 99]) : 0,
    failure,
    exitCode: failure === 'Exit' ? 75 : 0,
    nonRetryable: random.chance(0.1),
    infrastructure: random.chance(definition === 'listed' ? 0.4 : 0.05),
    retryDelayMs: random.chance(0.1) ? random.int(20, 600) : 0,
  };
}

function scriptOf(random: Prng, owner: string, definition: string, leaseMs: number): HandlerScript {
  const long = random.chance(definition === 'watched' ? 0.6 : 0.22);
  const extended = definition === 'prolonged';
  const overruns = random.chance(overrunning[definition] ?? 0);
  const ms = long ? random.between(0.3, 3.5) * leaseMs : random.pick([1, 5, 20, 60, 300]);
  return {
    owner,
    ms: extended ? random.pick(prolonged.times) : overruns ? 30_000 : Math.round(ms),
    extensions: extended ? prolonged.extensions : [],
    steps: long ? random.int(0, 4) : random.pick([0, 0, 1]),
    ...troubleOf(random, definition),
    kills: random.chance(0.015),
    deaf: random.chance(0.15),
  };
}

function jobOf(random: Prng, owner: string, leaseMs: number): PlannedJob {
  const definition = random.pick(kinds);
  const delayMs = random.chance(0.15) ? random.between(1, leaseMs) : undefined;
  return {
    definition,
    script: scriptOf(random, owner, definition, leaseMs),
    priority: random.pick([0, 0, 0, 5, -5]),
    delayMs,
    expireMs: random.chance(0.1) ? random.between(5, leaseMs) : undefined,
    key: undefined,
    replaces: false,
    batch: random.chance(0.5) ? random.pick(['red', 'green']) : undefined,
    acts: planActs(random, { leaseMs, delayMs, ...(definition === 'tidy' ? { cancels: 0.6 } : {}) }),
    waits: random.chance(0.15),
    sticky: random.chance(0.12) ? random.pick(['SOFT', 'HARD', 'HARD'] as const) : undefined,
  };
}

/** The job of a business key: nearly always the same one, so that repeats find it and other jobs are refused. */
function keyedJob(random: Prng, key: string, leaseMs: number): PlannedJob {
  const impostor = random.chance(0.15);
  const job = jobOf(new Prng(impostor ? `${key} impostor` : key), key, leaseMs);
  const acts = planActs(random, { leaseMs, delayMs: job.delayMs });
  return { ...job, key, expireMs: undefined, acts, waits: random.chance(0.15), sticky: undefined };
}

/** A job that takes its key from the one before it. */
function replacingJob(random: Prng, owner: string, leaseMs: number): PlannedJob {
  return { ...jobOf(random, owner, leaseMs), key: `swap-${random.int(1, 3)}`, replaces: true, sticky: undefined };
}

function jobsOf(random: Prng, name: string, leaseMs: number): PlannedJob[] {
  // A call may not name a key twice.
  const keys = new Set<string>();
  return Array.from({ length: random.chance(0.7) ? 1 : random.int(2, 6) }, (_, i) => {
    const owner = `${name}.${i}`;
    const draw = random.next();
    const key = draw < 0.28 ? `key-${random.int(1, 12)}` : undefined;
    const job = key ? keyedJob(random, key, leaseMs) : draw < 0.36 ? replacingJob(random, owner, leaseMs) : undefined;
    if (job?.key === undefined || keys.has(job.key)) return jobOf(random, owner, leaseMs);
    keys.add(job.key);
    return job;
  });
}

/** An outage of the shop: several jobs that need it fail together. */
function outageOf(random: Prng, shape: WorkloadShape): PlannedCall {
  const jobs = Array.from({ length: random.int(4, 7) }, (_, i) => {
    const definition = random.pick(['buyer', 'seller']);
    const script = {
      ...scriptOf(random, `outage.${i}`, definition, shape.leaseMs),
      failure: 'Refused',
      nonRetryable: false,
    };
    const fails = random.pick([0, 1, 1, 2]);
    const kills = random.chance(0.05);
    return { ...jobOf(random, `outage.${i}`, shape.leaseMs), definition, script: { ...script, fails, kills } };
  });
  return { name: 'outage', at: random.between(0, 0.8) * shape.until, jobs, hasRequestId: true };
}

/** More jobs at once than a limit allows to start. */
function rushOf(random: Prng, shape: WorkloadShape, definition: string): PlannedCall {
  const jobs = Array.from({ length: random.int(8, 14) }, (_, i) => {
    const owner = `rush.${definition}.${i}`;
    const script = {
      ...scriptOf(random, owner, definition, shape.leaseMs),
      fails: random.pick([0, 0, 1]),
      kills: false,
    };
    const ms = random.pick([5, 60, 400, 1_500]);
    return { ...jobOf(random, owner, shape.leaseMs), definition, delayMs: undefined, script: { ...script, ms } };
  });
  return { name: `rush-${definition}`, at: random.between(0, 0.8) * shape.until, jobs, hasRequestId: true };
}

/** Matching jobs, in calls in quick succession. */
function matchingOf(random: Prng, shape: WorkloadShape, definition: string): PlannedCall[] {
  let at = random.between(0, 0.6) * shape.until;
  return Array.from({ length: random.int(4, 9) }, (_, call) => {
    at += random.pick([0, 5, 200, 500, 1_500]);
    const name = `alike.${definition}.${call}`;
    const jobs = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, i) => {
      const script = { ...scriptOf(random, `${name}-${i}`, definition, shape.leaseMs), kills: false };
      const job = {
        ...jobOf(random, `${name}-${i}`, shape.leaseMs),
        definition,
        delayMs: undefined,
        expireMs: undefined,
      };
      return { ...job, script: { ...script, matching: random.pick(['a', 'a', 'b']) } };
    });
    return { name, at, jobs, hasRequestId: true };
  });
}

/** One big job among many small ones, for which there is a single worker. */
function queueForSeats(random: Prng, shape: WorkloadShape): PlannedCall {
  const jobs = Array.from({ length: random.int(9, 13) }, (_, i) => {
    const definition = i === 3 ? 'couple' : 'seated';
    const owner = `seats.${i}`;
    const script = { ...scriptOf(random, owner, definition, shape.leaseMs), fails: 0, kills: false };
    const rest = { delayMs: undefined, expireMs: undefined, sticky: undefined, acts: [] };
    const priority = definition === 'seated' ? 30 : 0;
    return {
      ...jobOf(random, owner, shape.leaseMs),
      definition,
      ...rest,
      priority,
      script: { ...script, ms: random.pick([1_200, 2_500]) },
    };
  });
  return { name: 'seats', at: random.between(0, 0.4) * shape.until, jobs, hasRequestId: true };
}

export function planWorkload(random: Prng, shape: WorkloadShape): Workload {
  const bursts = Array.from({ length: 3 }, () => random.between(0, shape.until));
  const calls: PlannedCall[] = Array.from({ length: shape.calls }, (_, call) => {
    const at = random.chance(0.4) ? random.pick(bursts) + random.between(0, 30) : random.between(0, shape.until);
    const name = `call-${call}`;
    return { name, at, jobs: jobsOf(random, name, shape.leaseMs), hasRequestId: random.chance(0.7) };
  });
  if (random.chance(0.4)) calls.push(outageOf(random, shape));
  for (const definition of ['single', 'edited', 'alarm'])
    if (random.chance(0.5)) calls.push(...matchingOf(random, shape, definition));
  for (const definition of ['narrow', 'crowded', 'light'])
    if (random.chance(0.6)) calls.push(rushOf(random, shape, definition));
  if (random.chance(0.5)) calls.push(queueForSeats(random, shape));
  return { calls, sweeps: planSweeps(random, shape.until), upkeep: planUpkeep(random, shape) };
}
