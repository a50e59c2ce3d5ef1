/** Circuit breakers as the store keeps them and as the engine asks for them. */

import type { Failure } from '../../domain/base/payload.ts';
import type { BreakerStatus } from '../../domain/retries/circuit-breaker.ts';
import type { Claim } from './dispatch.ts';
import type { LaneHead } from './lanes.ts';

export interface BreakerKey {
  readonly namespace: string;
  readonly name: string;
}

export interface BreakerRow extends BreakerKey, BreakerStatus {}

/** The same status again: nothing changes. */
export type DecideBreaker = (breaker: BreakerRow, nowUs: number) => BreakerStatus;

export interface BreakerChange {
  /** As they are now; without those that are not there. */
  readonly breakers: readonly BreakerRow[];
  /** Of lanes that may go on. */
  readonly heads: readonly LaneHead[];
  readonly nowUs: number;
}

export interface BreakerPage {
  /** By name. */
  readonly breakers: readonly BreakerRow[];
  readonly nowUs: number;
}

/** What became of the attempt that is tried. `none`: it is open, or none is tried. */
export type ProbeEnd =
  | { readonly kind: 'none' }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Lost, released or cancelled. */
  | { readonly kind: 'gone' };

/** A breaker that is not closed. */
export interface OpenBreaker extends BreakerRow {
  readonly nowUs: number;
  /** Of the job that is tried, if it is there. */
  readonly probeLaneId: number | undefined;
  readonly probeEnd: ProbeEnd;
}

/** A claim for one probe: one permit of each session that may run it. */
export type ProbeClaim = Pick<Claim, 'permits' | 'lanes' | 'suspects' | 'limits' | 'needs'>;
