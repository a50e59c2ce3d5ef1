/** Decides what to do with an assignment: five checks in the only safe order. */
import { ReleaseReason } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';

/** What the session knows about an assignment when it arrives. */
export interface AcceptanceFacts {
  /** The session holds the attempt. */
  readonly held: boolean;
  /** The attempt was seen before, and the credit that it names is still live. */
  readonly seen: boolean;
  /** The session can't prove its lease. (A replaced session receives nothing any more.) */
  readonly fenced: boolean;
  /** The held list has reached its maximum. */
  readonly full: boolean;
  /** A cancel for the attempt arrived earlier. */
  readonly cancelled: boolean;
  readonly draining: boolean;
  /** The worker has a handler for it. */
  readonly supported: boolean;
  /** The assignment names a live credit with an unspent permit of its kind. */
  readonly creditUnspent: boolean;
  /** A slot is free. Always true for a prefetched attempt, which may wait for one. */
  readonly slotFree: boolean;
}

export type Verdict =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'release'; readonly reason: ReleaseReason };

const IGNORE: Verdict = { kind: 'ignore' };
const ACCEPT: Verdict = { kind: 'accept' };

export function judge(facts: AcceptanceFacts): Verdict {
  // 1. Ignore a duplicate. This comes first: a release would give away a running attempt.
  if (facts.held || facts.seen) return IGNORE;
  // 2. Without a lease the worker may neither run nor release; the server sends the assignment again. A full held list
  // has the same effect: the release could not be listed.
  if (facts.fenced || facts.full) return IGNORE;
  // 3. The cancel overtook the assignment.
  if (facts.cancelled) return release(ReleaseReason.CANCELLED);
  // 4. Accept, without a round trip.
  const welcome = !facts.draining && facts.supported;
  if (welcome && facts.creditUnspent && facts.slotFree) return ACCEPT;
  // 5. Release with a reason.
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
