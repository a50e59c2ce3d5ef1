/** The deployment of a seed: the number of processes, the heartbeat interval, and the faults. */
import type { SessionTimes } from '../../../server/engine/ports/sessions.ts';
import { Prng } from '../../../server/tools/simulate/prng.ts';
import { type Faults, noFaults } from '../core/conditions.ts';
import type { WorkerOffer } from '../nodes/sim-worker.ts';
import { FIRST_WORKER_RESOURCES, handlerNames, WORKER_RESOURCES } from './definitions.ts';

export interface Profile {
  /** `calm`: no faults except those of handlers, so that all times are kept. */
  readonly name: 'mixed' | 'crowd' | 'calm';
  readonly times: SessionTimes;
  readonly replicas: number;
  readonly workers: readonly WorkerOffer[];
  readonly calls: number;
  /** Faults of messages and statements until the world recovers. */
  readonly faults: Faults;
  /** Number of larger faults: crashes, pauses, cuts. */
  readonly incidents: number;
  readonly healMs: number;
  readonly endMs: number;
}

function offers(random: Prng, count: number): WorkerOffer[] {
  return Array.from({ length: count }, (_, i) => ({
    slots: i === 0 ? random.pick([2, 2, 4]) : random.pick([1, 2, 2, 4]),
    resources: i === 0 ? FIRST_WORKER_RESOURCES : WORKER_RESOURCES,
    handlers:
      i === 0 || random.chance(0.7) ? handlerNames : handlerNames.filter(() => random.chance(0.7)).concat('plain'),
    labels: i === 0 || random.chance(0.3) ? { zone: 'a' } : {},
  })).map((offer) => ({ ...offer, handlers: [...new Set(offer.handlers)] }));
}

function faultsOf(random: Prng, leaseMs: number, crowd: boolean): Faults {
  const rough = crowd ? 0.2 : random.pick([0.3, 1, 1, 2]);
  return {
    loss: 0.05 * rough,
    double: 0.05 * rough,
    late: 0.1 * rough,
    lateMs: random.pick([0.1, 0.5, 1.4]) * leaseMs,
    slowStatement: 0.03 * rough,
    slowMs: crowd ? 50 : random.pick([50, 400, 1_500, 0.8 * leaseMs]),
    refusedStatement: 0.004 * rough,
    unknownStatement: 0.004 * rough,
    conflict: 0.004 * rough,
  };
}

export function profileOf(seed: number): Profile {
  const random = new Prng(`profile ${seed}`);
  const beatMs = random.pick([1_000, 1_000, 1_000, 2_000, 5_000]);
  const leaseMs = 3 * beatMs;
  const crowd = random.chance(0.12);
  const calm = !crowd && random.chance(0.15);
  const healMs = leaseMs * random.between(7, 12);
  return {
    name: crowd ? 'crowd' : calm ? 'calm' : 'mixed',
    times: { beatMs, leaseMs },
    replicas: random.pick([2, 2, 2, 3]),
    workers: offers(random, crowd ? random.int(13, 15) : random.int(3, 5)),
    calls: crowd ? 12 : random.int(12, 28),
    faults: calm ? noFaults : faultsOf(random, leaseMs, crowd),
    incidents: crowd ? 3 : calm ? 0 : random.int(4, 14),
    healMs,
    // Retries may wait some minutes for their budget.
    endMs: healMs + 360_000 + 12 * leaseMs,
  };
}
