/** What the seed of a segment decides; what the operating system runs when is not decided. */
import { Dice } from '../harness/dice.ts';

export interface Segment {
  readonly seed: number;
  /**
   * A soak repeats the lasting faults that end no replica, so that each replica lives for more than ten minutes. In one
   * with a lost tail the database loses its last commits.
   */
  readonly kind: 'crashes' | 'lasting faults' | 'soak' | 'lost tail';
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
  /** Options of `muster start` that only one replica has, by replica: an operator changes them on one after the other. */
  readonly settings: readonly (readonly string[])[];
  /** The fewest connections to PostgreSQL that a replica may have. */
  readonly minConnections: number;
}

export const SHORT = { beatMs: 600, leaseMs: 3_000 };
const DEFAULT = { beatMs: 5_000, leaseMs: 15_000 };
/** While an operator changes the times: twice the short ones, or half the default. */
const DOUBLE = { beatMs: 1_200, leaseMs: 6_000 };
const HALF = { beatMs: 2_500, leaseMs: 7_500 };

const DEFAULT_CONNECTIONS = 12;
const connections = [4, 12, 20];
const logLevels = ['info', 'warn'];
const MIXED = 0.4;

export function planOf(seed: number): Segment {
  const dice = new Dice(seed);
  const kind = dice.pick(['crashes', 'lasting faults', 'lasting faults', 'soak'] as const);
  const times = kind === 'crashes' || dice.chance(0.6) ? SHORT : DEFAULT;
  const replicas = dice.int(2, 3);
  const lasts = kind !== 'crashes';
  const clusteredBus = lasts && dice.chance(0.4);
  const smallDisk = lasts && dice.chance(0.5);
  const pooler = smallDisk && dice.chance(0.5);
  const numbers = dice.chance(MIXED) ? dice.shuffled(connections).slice(0, replicas) : [];
  const settings = mixed(dice, numbers, times.leaseMs);
  const standby = lasts && !smallDisk;
  const losesTail = kind === 'lasting faults' && standby && dice.chance(0.3);
  const what = { seed, kind: losesTail ? ('lost tail' as const) : kind, replicas, ...times };
  const minConnections = Math.min(DEFAULT_CONNECTIONS, ...numbers);
  return { ...what, clusteredBus, smallDisk, pooler, standby, settings, minConnections };
}

function mixed(dice: Dice, numbers: readonly number[], leaseMs: number): string[][] {
  if (numbers.length === 0) return [];
  const other = leaseMs === SHORT.leaseMs ? DOUBLE : HALF;
  const changed = dice.int(0, numbers.length - 1);
  return numbers.map((number, n) => [
    ...['--postgres-connections', String(number), '--log-level', dice.pick(logLevels)],
    ...(n === changed ? ['--beat-ms', String(other.beatMs), '--lease-ms', String(other.leaseMs)] : []),
  ]);
}
