/** Requests for jobs after their submission: for one at a time, or for all that match a filter. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';

export type ActKind = 'cancel' | 'suspend' | 'pause' | 'resume' | 'update' | 'retry' | 'erase';

/** At a time, or that many ms after the job's first assignment, its start, or its observed end. */
export interface PlannedAct {
  readonly kind: ActKind;
  readonly when: 'later' | 'assigned' | 'started' | 'ended';
  readonly ms: number;
  /** For an update: the delay of the new run time, in ms; undefined: only the priority changes. */
  readonly aheadMs?: number | undefined;
  /** For a suspension. */
  readonly graceMs?: number;
}

/** All jobs of a batch, page by page. */
export interface PlannedSweep {
  readonly kind: 'cancelMany' | 'retryMany';
  readonly batch: string;
  readonly at: number;
}

interface Waits {
  readonly leaseMs: number;
  readonly delayMs: number | undefined;
  /** Probability of a cancel. */
  readonly cancels?: number;
}

function cancelOf(random: Prng, leaseMs: number): PlannedAct[] {
  const when = random.pick(['later', 'assigned', 'started'] as const);
  if (when === 'later')
    return [{ kind: 'cancel', when, ms: random.chance(0.4) ? random.between(0, 20) : random.between(0, 2 * leaseMs) }];
  return [{ kind: 'cancel', when, ms: random.chance(0.6) ? random.between(0, 4) : random.between(0, leaseMs) }];
}

/** Mostly while the job still waits: for its time, or between two attempts. */
function whileItWaits(random: Prng, { leaseMs, delayMs }: Waits): number {
  if (delayMs !== undefined) return random.between(0, 1.1 * delayMs);
  return random.chance(0.5) ? random.between(0, 5) : random.between(0, leaseMs);
}

function pauseOf(random: Prng, waits: Waits): PlannedAct[] {
  const ms = whileItWaits(random, waits);
  const pause = { kind: 'pause', when: 'later', ms } as const;
  // An operator who forgets to resume it leaves that to the sweep of paused jobs.
  if (random.chance(0.3)) return [pause];
  return [pause, { kind: 'resume', when: 'later', ms: ms + random.between(0, waits.leaseMs) }];
}

/** Of a job that runs, or is about to: resumed while it stops, later, or by the sweep of paused jobs. */
function suspendOf(random: Prng, { leaseMs }: Waits): PlannedAct[] {
  const when = random.pick(['later', 'assigned', 'started'] as const);
  const ms = random.chance(0.5) ? random.between(0, 10) : random.between(0, leaseMs);
  const graceMs = random.pick([0, random.between(1, 50), random.between(1, 2 * leaseMs)]);
  const suspend = { kind: 'suspend', when, ms, graceMs } as const;
  if (random.chance(0.3)) return [suspend];
  return [suspend, { kind: 'resume', when, ms: ms + random.between(0, random.chance(0.5) ? 20 : leaseMs) }];
}

function updateOf(random: Prng, waits: Waits): PlannedAct[] {
  const aheadMs = random.pick([undefined, -1_000, random.between(1, waits.leaseMs)]);
  return [{ kind: 'update', when: 'later', ms: whileItWaits(random, waits), aheadMs }];
}

export function planActs(random: Prng, waits: Waits): PlannedAct[] {
  return [
    ...(random.chance(waits.cancels ?? 0.25) ? cancelOf(random, waits.leaseMs) : []),
    ...(random.chance(0.12) ? pauseOf(random, waits) : []),
    ...(random.chance(0.12) ? suspendOf(random, waits) : []),
    ...(random.chance(0.08) ? updateOf(random, waits) : []),
    ...(random.chance(0.04) ? [{ kind: 'retry', when: 'ended', ms: random.between(0, 50) } as const] : []),
    ...(random.chance(0.05) ? [{ kind: 'erase', when: 'ended', ms: random.between(0, waits.leaseMs) } as const] : []),
  ];
}

export function planSweeps(random: Prng, until: number): PlannedSweep[] {
  const kinds = ['cancelMany', 'retryMany', 'retryMany', 'retryMany'] as const;
  return Array.from({ length: random.int(0, 4) }, () => {
    const kind = random.pick(kinds);
    // Most failures are late.
    const [from, to] = kind === 'retryMany' ? [0.7, 1.3] : [0.2, 1];
    return { kind, batch: random.pick(['red', 'green']), at: random.between(from, to) * until };
  }).flatMap((sweep) => {
    // Often two operators do it at once.
    const together = { ...sweep, at: sweep.at + random.between(0, 2) };
    return random.chance(0.5) ? [sweep, together] : [sweep];
  });
}
