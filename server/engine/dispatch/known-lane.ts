/** A lane as a replica knows it. */

import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { Demands } from '../../domain/dispatch/demands.ts';
import type { Lane } from '../ports/lanes.ts';
import type { Exhausted } from './exhausted.ts';

/** Passed to a running claim, for one of its lanes. */
export interface ClaimWatch {
  /** Lowest rank hinted since the claim began. */
  lowest: number;
}

/** Whether a claim found no capacity under its limits, and no permit was released since. */
export function isExhausted({ exhausted, laneId }: KnownLane): boolean {
  return exhausted.has(laneId);
}

export interface KnownLane extends Omit<Lane, 'limited'> {
  readonly definitionBody: JobDefinition;
  /** Its parsed demands. */
  readonly needs: Demands;
  /** As far as this replica knows. */
  limited: boolean;
  /** Has its id while it has no capacity under its limits. */
  readonly exhausted: Exhausted<number>;
  /** The last claims met its limits: none has emptied the lane since without meeting them. */
  contended: boolean;
  /** Lowest rank of a ready job, as far as this replica knows; undefined: none. */
  head: number | undefined;
  /** Rounds during which it had ready jobs. */
  rounds: number;
  /** Estimate of the ready jobs that a claim may find, and its max permits; doubles while claims find more. */
  waiting: number;
  /** Running claims; each sees the hints that come during it, so that it does not overwrite them. */
  readonly claims: Set<ClaimWatch>;
  /** A claim scans from here: below are only dead entries, which are expensive to skip under an old snapshot. */
  cursor: number;
}
