/** A lane as a replica knows it. */

import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { Demands } from '../../domain/dispatch/demands.ts';
import type { Lane } from '../ports/lanes.ts';

/** What a claim under way has to know of one of its lanes. */
export interface ClaimWatch {
  /** Lowest rank that was hinted at since the claim began. */
  lowest: number;
}

export interface KnownLane extends Omit<Lane, 'limited'> {
  readonly definitionBody: JobDefinition;
  /** What its demands say. */
  readonly needs: Demands;
  /** As far as this replica knows. */
  limited: boolean;
  /** A claim has found no room under its limits, and nothing was given back since. */
  exhausted: boolean;
  /** The last claims have met its limits: none has emptied it since without meeting them. */
  contended: boolean;
  /** How often something was given back under its limits. */
  version: number;
  /** Lowest rank of a ready job as far as this replica knows; undefined: none. */
  head: number | undefined;
  /** Rounds for which it has had ready jobs. */
  rounds: number;
  /** About how many ready jobs a claim may find: it asks for no more places than that, and doubles while it finds more. */
  waiting: number;
  /** Claims under way; each is told of hints that come meanwhile, so that it wipes out none of them. */
  readonly claims: Set<ClaimWatch>;
  /** A claim scans from here: below it there are only dead entries, which are dear under an old snapshot. */
  cursor: number;
}
