//! The five questions that decide what becomes of an assignment, in the one order that is safe.

use crate::v1::ReleaseReason;

/// What the session knows about one assignment at the moment it arrives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AcceptanceFacts {
    /// The attempt is held.
    pub held: bool,
    /// It was seen before, and the credit that it names is still alive.
    pub seen: bool,
    /// The session can't prove its lease. (A superseded session hears nothing any more.)
    pub fenced: bool,
    /// The held list is at its bound.
    pub full: bool,
    /// A cancel for it came first.
    pub cancelled: bool,
    pub draining: bool,
    /// There is a handler for it.
    pub supported: bool,
    /// It names a live credit that has a place of its kind left.
    pub credit_unspent: bool,
    /// Its place is free: a slot, or for a prefetched attempt a place in the line.
    pub place_free: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ignore,
    Accept,
    Release(ReleaseReason),
}

pub(crate) fn judge(facts: AcceptanceFacts) -> Verdict {
    // 1. A duplicate says nothing new. This comes first: releasing it would give away what is running.
    if facts.held || facts.seen {
        return Verdict::Ignore;
    }
    // 2. Without a lease, neither running nor releasing is ours to decide; the server sends the grant again. The same
    //    holds when the held list is full: it could not even list the release.
    if facts.fenced || facts.full {
        return Verdict::Ignore;
    }
    // 3. The cancel overtook it.
    if facts.cancelled {
        return Verdict::Release(ReleaseReason::Cancelled);
    }
    // 4. Accept, without a round trip.
    let welcome = !facts.draining && facts.supported;
    if welcome && facts.credit_unspent && facts.place_free {
        return Verdict::Accept;
    }
    // 5. Give it back and say why.
    Verdict::Release(why_not(facts))
}

fn why_not(facts: AcceptanceFacts) -> ReleaseReason {
    if facts.draining {
        ReleaseReason::Drain
    } else if !facts.supported {
        ReleaseReason::Unsupported
    } else if facts.credit_unspent {
        ReleaseReason::NoSlot
    } else {
        ReleaseReason::DeadCredit
    }
}
