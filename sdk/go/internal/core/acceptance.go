package core

import pb "muster.dev/sdk/go/musterpb"

// acceptanceFacts is what the session knows about one assignment at the moment it arrives.
type acceptanceFacts struct {
	// held: the attempt is held.
	held bool
	// seen: it was seen before, and the credit that it names is still alive.
	seen bool
	// fenced: the session can't prove its lease. (A superseded session hears nothing any more.)
	fenced bool
	// full: the held list is at its bound.
	full bool
	// cancelled: a cancel for it came first.
	cancelled bool
	draining  bool
	// supported: there is a handler for it.
	supported bool
	// creditUnspent: it names a live credit that has a place of its kind left.
	creditUnspent bool
	// placeFree: a slot is free, or it is prefetched and may wait.
	placeFree bool
}

type verdict struct {
	kind   verdictKind
	reason pb.ReleaseReason
}

type verdictKind int

const (
	ignore verdictKind = iota
	accept
	release
)

// judge asks the five questions that decide what becomes of an assignment, in the one order that is safe.
func judge(facts acceptanceFacts) verdict {
	switch {
	// 1. A duplicate says nothing new. This comes first: releasing it would give away what is running.
	case facts.held || facts.seen:
		return verdict{kind: ignore}
	// 2. Without a lease, neither running nor releasing is ours to decide; the server sends the grant again. The same
	//    holds when the held list is full: it could not even list the release.
	case facts.fenced || facts.full:
		return verdict{kind: ignore}
	// 3. The cancel overtook it.
	case facts.cancelled:
		return verdict{release, pb.ReleaseReason_RELEASE_REASON_CANCELLED}
	// 4. Accept, without a round trip.
	case !facts.draining && facts.supported && facts.creditUnspent && facts.placeFree:
		return verdict{kind: accept}
	// 5. Give it back and say why.
	default:
		return verdict{release, whyNot(facts)}
	}
}

func whyNot(facts acceptanceFacts) pb.ReleaseReason {
	switch {
	case facts.draining:
		return pb.ReleaseReason_RELEASE_REASON_DRAIN
	case !facts.supported:
		return pb.ReleaseReason_RELEASE_REASON_UNSUPPORTED
	case facts.creditUnspent:
		return pb.ReleaseReason_RELEASE_REASON_NO_SLOT
	default:
		return pb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT
	}
}
