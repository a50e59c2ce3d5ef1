/**
 * A fault of the campaign that lasts: a slow, stopped, full or cut-off part. It measures that it bit, since one that
 * changed nothing proves nothing, and it ends by itself.
 */
import { lackOf } from '../../../../workers/demo-polyglot/toolchains.ts';
import { c, pgbouncer } from '../../../support/run/toolchains.ts';
import type { Segment } from '../plan.ts';
import type { World } from '../world.ts';

export interface Fault {
  readonly name: string;
  /** Whether a deployment has the part. Default: each has it. */
  readonly fits?: (plan: Segment) => boolean;
  /** Whether it ends replicas. Default: no. */
  readonly endsReplicas?: boolean;
  /** Whether it loses the last commits of the database. Default: no. */
  readonly losesTail?: boolean;
  /** Whether replicas of another release run together with those of this one. Default: no. */
  readonly mixesReleases?: boolean;
  /** What this machine lacks for it; undefined: nothing. */
  readonly lack?: () => string | undefined;
  /** Injects it and ends it. Resolves with the measurement that it bit. @throws if it did not */
  inflict(world: World): Promise<string>;
}

export const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

export function require(bit: boolean, what: string): string {
  if (!bit) throw new Error(`the fault did not bite: ${what}`);
  return what;
}

export const needsRoot = () => (process.getuid?.() === 0 ? undefined : 'it needs root');

export const lackOfPooler = () => lackOf(pgbouncer);

/** Builds the libraries that are preloaded. */
export const lackOfCompiler = () => lackOf(c);
