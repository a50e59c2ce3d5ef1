/** After recovery, due work is done within the time that it takes to notice a lost worker. */
import { EPOCH_MS } from '../../../../server/tools/simulate/sim-postgres.ts';
import type { Profile } from '../../scenario/profile.ts';
import type { Evidence, Ordered } from './events.ts';

/** Replicas return, sessions lapse, and each replica waits for a lease of its own, before times are kept again. */
const SETTLE_LEASES = 5;
const SETTLE_MS = 8_000;
const SWEEP_MS = 2_500;

/** How late the row is after `timeUs`, in µs; 0 or less: in time, or the world had not recovered. */
export function lateness({ name, healMs, times }: Profile, row: Ordered, timeUs: number): number {
  const { leaseMs, beatMs } = times;
  const wellMs = name === 'calm' ? 0 : healMs + SETTLE_LEASES * leaseMs + SETTLE_MS;
  const dueUs = Math.max(timeUs, (EPOCH_MS + wellMs) * 1000);
  return row.at - dueUs - (leaseMs + beatMs + SWEEP_MS) * 1000;
}

/** The longest time from one round of the sweeper to the next one, and four round trips to the database. */
const LAPSE_MS = 1_100 + 4 * 25;

/**
 * How late a lapse is noticed, in µs; 0 or less: in time. A replica judges after a lease of its own in which the database
 * answered: after the recovery, and once the last slow statement has ended. `isSure`: the lapse came after that.
 */
export function lapseLateness({ profile, seen }: Evidence, row: Ordered, lapseUs: number) {
  const { name, healMs, times, faults } = profile;
  const startsMs = (seen.get('starts') ?? []).filter(({ order }) => order < row.order).map(({ at }) => at);
  const judgedMs = Math.max(name === 'calm' ? 0 : healMs + faults.slowMs, ...startsMs) + times.leaseMs;
  const judgedUs = (EPOCH_MS + judgedMs) * 1000;
  return { lateUs: row.at - Math.max(lapseUs, judgedUs) - LAPSE_MS * 1000, isSure: lapseUs > judgedUs };
}
