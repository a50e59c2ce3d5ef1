package core

import pb "muster.dev/sdk/go/musterpb"

// checkpointGate holds the report of a failed attempt back until a heartbeat has carried its last checkpoint: the report
// closes the attempt, and a closed one takes no checkpoint any more.
type checkpointGate struct {
	beats    int
	heldBack []*heldBack
}

type heldBack struct {
	held    *held
	outcome Outcome
	// beat is the first heartbeat that can carry the checkpoint.
	beat int
	// failures are the heartbeats that could carry it and failed.
	failures int
}

// beatSent numbers a heartbeat that is about to be sent.
func (g *checkpointGate) beatSent() int {
	g.beats++
	return g.beats
}

// holds says whether the report has to wait. A success needs no checkpoint.
func (g *checkpointGate) holds(entry *held, outcome Outcome) bool {
	if !mayBeRetried(outcome) || entry.update == nil || entry.update.checkpoint == nil {
		return false
	}
	g.heldBack = append(g.heldBack, &heldBack{held: entry, outcome: outcome, beat: g.beats + 1})
	return true
}

// pass gives the reports that may go, now that a heartbeat is over: those whose checkpoint has come through, or never will.
func (g *checkpointGate) pass(beat int, delivered bool) (going []*heldBack) {
	var staying []*heldBack
	for _, one := range g.heldBack {
		if !delivered && one.beat <= beat {
			one.failures++
		}
		if one.held.update.checkpoint == nil || one.failures >= checkpointTries {
			going = append(going, one)
		} else {
			staying = append(staying, one)
		}
	}
	g.heldBack = staying
	return going
}

func mayBeRetried(outcome Outcome) bool {
	switch outcome.Outcome.(type) {
	case *pb.AttemptReport_Failure, *pb.AttemptReport_Aborted, *pb.AttemptReport_Suspended:
		return true
	default:
		return false
	}
}
