/** What the seed of a segment decides; what the operating system runs when is not decided. */
import { Dice } from '../harness/dice.ts';

export interface Segment {
  readonly seed: number;
  /** A soak repeats the lasting faults that end no replica, so that each replica lives for more than ten minutes. */
  readonly kind: 'crashes' | 'lasting faults' | 'soak';
  readonly replicas: number;
  readonly beatMs: number;
  readonly leaseMs: number;
  /** Whether the bus is a cluster of three nodes. */
  readonly clusteredBus: boolean;
  /** Whether the address of the database can move to a standby. */
  readonly standby: boolean;
  /** Whether the database has disks of its own, if the machine can do that. */
  readonly smallDisk: boolean;
  /** Whether replicas reach the database through PgBouncer, if the machine has it. */
  readonly pooler: boolean;
}

export const SHORT = { beatMs: 600, leaseMs: 3_000 };
const DEFAULT = { beatMs: 5_000, leaseMs: 15_000 };

export function planOf(seed: number): Segment {
  const dice = new Dice(seed);
  const kind = dice.pick(['crashes', 'lasting faults', 'lasting faults', 'soak'] as const);
  const times = kind === 'crashes' || dice.chance(0.6) ? SHORT : DEFAULT;
  const replicas = dice.int(2, 3);
  const lasts = kind !== 'crashes';
  const clusteredBus = lasts && dice.chance(0.4);
  const smallDisk = lasts && dice.chance(0.5);
  const pooler = smallDisk && dice.chance(0.5);
  return { seed, kind, replicas, ...times, clusteredBus, smallDisk, pooler, standby: lasts && !smallDisk };
}
