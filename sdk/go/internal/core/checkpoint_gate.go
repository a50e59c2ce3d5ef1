package core

import "github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"

// checkpointGate delays the report of a failed attempt until a heartbeat has carried its last checkpoint: the report
// closes the attempt, and a closed attempt accepts no checkpoint.
type checkpointGate struct {
	beats    int
	heldBack []*heldBack
}

type heldBack struct {
	held    *held
	outcome Outcome
	// beat is the first heartbeat that can carry the checkpoint.
	beat int
	// failures counts heartbeats that could carry it and failed.
	failures int
}

// beatSent numbers a heartbeat that is about to be sent.
func (g *checkpointGate) beatSent() int {
	g.beats++
	return g.beats
}

// holds reports whether the report must wait, and keeps it in that case. A success needs no checkpoint.
func (g *checkpointGate) holds(entry *held, outcome Outcome) bool {
	if !mayBeRetried(outcome) || entry.update == nil || entry.update.checkpoint == nil {
		return false
	}
	g.heldBack = append(g.heldBack, &heldBack{held: entry, outcome: outcome, beat: g.beats + 1})
	return true
}

// pass is called when a heartbeat is over. It returns the reports that may be sent now: their checkpoint was delivered,
// or too many heartbeats have failed.
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
	case *workerpb.AttemptReport_Failure, *workerpb.AttemptReport_Aborted, *workerpb.AttemptReport_Suspended:
		return true
	default:
		return false
	}
}
