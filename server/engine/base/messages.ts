/** What the core hands to a session, in its own types; the bus and the API turn it into the contract's messages. */

import type { Payload } from '../../domain/base/payload.ts';
import type { LeaseLossAction } from '../../domain/definitions/definition.ts';

/** One attempt of a job for one session. Ids are UUIDs in canonical text. */
export interface Assignment {
  readonly jobId: string;
  readonly attempt: number;
  readonly creditId: number;
  readonly prefetch: boolean;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly handler: string;
  readonly input: Payload;
  readonly runTimeoutMs: number;
  readonly leaseLossAction: LeaseLossAction;
  readonly attemptsCounted: number;
  readonly checkpoint?: Payload | undefined;
  /** Empty when none was sent. */
  readonly traceparent: string;
  readonly tracestate: string;
}

export interface CancelNotice {
  readonly jobId: string;
  readonly attempt: number;
}

/** A lane that has ready jobs, and the lowest rank among them that the sender knows of. */
export interface LaneHint {
  readonly laneId: number;
  readonly rank: number;
  /** How many jobs became ready, where the sender knows; it stays on this replica. */
  readonly jobs?: number | undefined;
  /** Whether the lane has limits, where the sender has just read that; it stays on this replica. */
  readonly limited?: boolean | undefined;
}

/** What replicas tell each other. Losing one costs at most two seconds. */
export type Hint =
  | { readonly kind: 'ready'; readonly lanes: readonly LaneHint[] }
  | { readonly kind: 'ended'; readonly jobIds: readonly string[] }
  /** Log records of these jobs were stored. */
  | { readonly kind: 'logged'; readonly jobIds: readonly string[] }
  /** Something under the limits of these lanes was given back. */
  | { readonly kind: 'freed'; readonly laneIds: readonly number[] }
  /** Something under the limits of these keys was given back. */
  | { readonly kind: 'freedKeys'; readonly limitIds: readonly string[] }
  /** Something that these sessions' jobs took of their resources was given back. */
  | { readonly kind: 'freedCapacity'; readonly sessionIds: readonly string[] };
