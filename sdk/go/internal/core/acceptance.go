package core

import "github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"

// acceptanceFacts are the facts on which an arriving assignment is judged.
type acceptanceFacts struct {
	// held means that the session holds the attempt.
	held bool
	// seen means that the attempt arrived before, under a credit that is still alive.
	seen bool
	// fenced means that the session can't prove its lease. (A superseded session receives nothing any more.)
	fenced bool
	// full means that the held list has reached its limit.
	full bool
	// cancelled means that a cancel arrived before the assignment.
	cancelled bool
	draining  bool
	// supported means that a handler is registered for it.
	supported bool
	// creditUnspent means that its credit is alive and has an unspent permit of its kind.
	creditUnspent bool
	// slotFree means that a slot is free, or that the attempt is prefetched and may wait.
	slotFree bool
}

type verdict struct {
	kind   verdictKind
	reason workerpb.ReleaseReason
}

type verdictKind int

const (
	ignore verdictKind = iota
	accept
	release
)

// judge decides about an assignment. The order of the five checks is essential for safety.
func judge(facts acceptanceFacts) verdict {
	switch {
	// 1. Ignore a duplicate. This comes first: releasing it would release the running attempt.
	case facts.held || facts.seen:
		return verdict{kind: ignore}
	// 2. Without a lease, the session may neither run nor release the attempt; the server sends the grant again.
	//    The same holds when the held list is full: it could not even list the release.
	case facts.fenced || facts.full:
		return verdict{kind: ignore}
	// 3. Release it if a cancel overtook it.
	case facts.cancelled:
		return verdict{release, workerpb.ReleaseReason_RELEASE_REASON_CANCELLED}
	// 4. Accept, without a round trip.
	case !facts.draining && facts.supported && facts.creditUnspent && facts.slotFree:
		return verdict{kind: accept}
	// 5. Release it with a reason.
	default:
		return verdict{release, whyNot(facts)}
	}
}

func whyNot(facts acceptanceFacts) workerpb.ReleaseReason {
	switch {
	case facts.draining:
		return workerpb.ReleaseReason_RELEASE_REASON_DRAIN
	case !facts.supported:
		return workerpb.ReleaseReason_RELEASE_REASON_UNSUPPORTED
	case facts.creditUnspent:
		return workerpb.ReleaseReason_RELEASE_REASON_NO_SLOT
	default:
		return workerpb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT
	}
}
