package core

import (
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// terms are the credits that one call grants and voids.
type terms struct {
	credits []*workerpb.Credit
	voided  []uint64
}

// grants decides which credits a call grants and which it voids, and handles them when the call fails.
type grants struct {
	credits *credits
	held    *heldList
	slots   *slotTable
	rate    *completionRate
	// unsaid holds voided credits that no answered call has carried yet.
	unsaid map[uint64]struct{}
}

func newGrants(credits *credits, held *heldList, slots *slotTable, rate *completionRate) *grants {
	return &grants{credits: credits, held: held, slots: slots, rate: rate, unsaid: map[uint64]struct{}{}}
}

// voidAll voids all unspent credits; the next call carries the voids.
func (g *grants) voidAll() { g.note(g.credits.voidAll()) }

// renew is called for a heartbeat: credits that end soon are replaced.
func (g *grants) renew(now time.Time) { g.note(g.credits.voidAging(now)) }

// compose returns what the next call grants and voids. The life of a new credit begins here, before the call is sent.
func (g *grants) compose(now time.Time, mayGrant bool) terms {
	g.credits.expire(now)
	var said terms
	for id := range g.unsaid {
		said.voided = append(said.voided, id)
	}
	if !mayGrant {
		return said
	}
	if slots, prefetch := g.wanted(now); slots+prefetch > 0 {
		said.credits = []*workerpb.Credit{g.credits.grant(slots, prefetch, now)}
	}
	return said
}

// answered is called when a call was answered: its voids need no repeat.
func (g *grants) answered(said terms) {
	for _, id := range said.voided {
		delete(g.unsaid, id)
	}
}

// failed is called when a call failed: the server may or may not have stored its credits. They are voided, and a new
// credit with its whole life ahead replaces them.
func (g *grants) failed(said terms) {
	for _, credit := range said.credits {
		if g.credits.void(credit.CreditId) {
			g.unsaid[credit.CreditId] = struct{}{}
		}
	}
	// A credit that has ended needs no voiding. Removing it bounds the list while no call succeeds.
	for id := range g.unsaid {
		if !g.credits.remembers(id) {
			delete(g.unsaid, id)
		}
	}
}

func (g *grants) wanted(now time.Time) (slots, prefetch int) {
	capacity := max(0, maxHeld-g.held.len()-g.credits.slots-g.credits.prefetch)
	slots = min(capacity, max(0, g.slots.free()-g.credits.slots))
	depth := min(maxPrefetch, g.rate.recent(now))
	prefetch = min(capacity-slots, max(0, depth-g.held.waiting-g.credits.prefetch))
	return slots, prefetch
}

func (g *grants) note(ids []uint64) {
	for _, id := range ids {
		g.unsaid[id] = struct{}{}
	}
}
