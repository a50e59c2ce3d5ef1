//! The decision about an assignment: five checks whose order is essential for safety.

use crate::worker::v1::ReleaseReason;

/// The facts on which an arriving assignment is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AcceptanceFacts {
    /// The session holds the attempt.
    pub held: bool,
    /// The attempt arrived before, under a credit that is still alive.
    pub seen: bool,
    /// The session can't prove its lease. (A superseded session receives nothing any more.)
    pub fenced: bool,
    /// The held list has reached its limit.
    pub full: bool,
    /// A cancel arrived before the assignment.
    pub cancelled: bool,
    pub draining: bool,
    /// A handler is registered for it.
    pub supported: bool,
    /// Its credit is alive and has an unspent permit of its kind.
    pub credit_unspent: bool,
    /// A slot is free, or the attempt is prefetched and may wait.
    pub slot_free: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ignore,
    Accept,
    Release(ReleaseReason),
}

pub(crate) fn judge(facts: AcceptanceFacts) -> Verdict {
    // 1. Ignore a duplicate. This comes first: releasing it would release the running attempt.
    if facts.held || facts.seen {
        return Verdict::Ignore;
    }
    // 2. Without a lease, the session may neither run nor release the attempt; the server sends the grant again.
    //    The same holds when the held list is full: it could not even list the release.
    if facts.fenced || facts.full {
        return Verdict::Ignore;
    }
    // 3. Release it if a cancel overtook it.
    if facts.cancelled {
        return Verdict::Release(ReleaseReason::Cancelled);
    }
    // 4. Accept, without a round trip.
    let welcome = !facts.draining && facts.supported;
    if welcome && facts.credit_unspent && facts.slot_free {
        return Verdict::Accept;
    }
    // 5. Release it with a reason.
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
