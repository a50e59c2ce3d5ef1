/** Pauses of workflows and batches that have begun, with the jobs that run for them. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { PlannedAct } from './acts.ts';

/** Resumed at once, later, or by the sweep of paused jobs; some are paused twice. */
export function familyPauses(random: Prng, leaseMs: number): PlannedAct[] {
  if (!random.chance(0.3)) return [];
  const ms = random.chance(0.6) ? random.between(0, 150) : random.between(0, leaseMs);
  const pause = (kind: 'suspend' | 'resume', at: number): PlannedAct => ({
    kind,
    when: 'later',
    ms: at,
    graceMs: random.pick([0, random.between(1, 50), random.between(1, 2 * leaseMs)]),
  });
  const again = random.chance(0.3) ? [pause('suspend', ms + random.between(0, 20))] : [];
  if (random.chance(0.25)) return [pause('suspend', ms), ...again];
  const resumed = pause('resume', ms + random.between(0, random.chance(0.5) ? 20 : leaseMs));
  return [pause('suspend', ms), ...again, resumed];
}
