/** The five questions that decide what becomes of an assignment, in the one order that is safe. */
import { ReleaseReason } from '../../gen/muster/v1/session_service_pb.ts';

/** What the session knows about one assignment at the moment it arrives. */
export interface AcceptanceFacts {
  /** The attempt is held. */
  readonly held: boolean;
  /** It was seen before, and the credit that it names is still alive. */
  readonly seen: boolean;
  /** The session can't prove its lease. (A superseded session hears nothing any more.) */
  readonly fenced: boolean;
  /** The held list is at its bound. */
  readonly full: boolean;
  /** A cancel for it came first. */
  readonly cancelled: boolean;
  readonly draining: boolean;
  /** There is a handler for it. */
  readonly supported: boolean;
  /** It names a live credit that has a place of its kind left. */
  readonly creditUnspent: boolean;
  /** Its place is free: a slot, or for a prefetched attempt a place in the line. */
  readonly slotFree: boolean;
}

export type Verdict =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'release'; readonly reason: ReleaseReason };

const IGNORE: Verdict = { kind: 'ignore' };
const ACCEPT: Verdict = { kind: 'accept' };

export function judge(facts: AcceptanceFacts): Verdict {
  // 1. A duplicate says nothing new. This comes first: releasing it would give away what is running.
  if (facts.held || facts.seen) return IGNORE;
  // 2. Without a lease, neither running nor releasing is ours to decide; the server sends the grant again. The same
  //    holds when the held list is full: it could not even list the release.
  if (facts.fenced || facts.full) return IGNORE;
  // 3. The cancel overtook it.
  if (facts.cancelled) return release(ReleaseReason.CANCELLED);
  // 4. Accept, without a round trip.
  const welcome = !facts.draining && facts.supported;
  if (welcome && facts.creditUnspent && facts.slotFree) return ACCEPT;
  // 5. Give it back and say why.
  return release(whyNot(facts));
}

function whyNot(facts: AcceptanceFacts): ReleaseReason {
  if (facts.draining) return ReleaseReason.DRAIN;
  if (!facts.supported) return ReleaseReason.UNSUPPORTED;
  return facts.creditUnspent ? ReleaseReason.NO_SLOT : ReleaseReason.DEAD_CREDIT;
}

function release(reason: ReleaseReason): Verdict {
  return { kind: 'release', reason };
}
