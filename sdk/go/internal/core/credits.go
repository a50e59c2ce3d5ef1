package core

import (
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// liveCredit is a granted credit: its unspent slots, and the attempts assigned under it.
type liveCredit struct {
	id       uint64
	expireAt time.Time
	slots    int
	prefetch int
	// seen holds the attempts that named the credit while it lives, so that none is accepted twice.
	seen map[attemptKey]struct{}
}

func (c *liveCredit) unspent() bool { return c.slots+c.prefetch > 0 }

// credits are the credits that the session has granted.
type credits struct {
	byID map[uint64]*liveCredit
	// order is the order of granting, which is also the order of expiry: all credits live equally long.
	order  fifo[*liveCredit]
	spent  fifo[uint64]
	lastID uint64
	// slots and prefetch are the unspent permits of live credits.
	slots    int
	prefetch int
}

func newCredits() *credits { return &credits{byID: map[uint64]*liveCredit{}} }

// grant makes a credit whose life starts now, before it is sent.
func (c *credits) grant(slots, prefetch int, now time.Time) *workerpb.Credit {
	c.lastID++
	credit := &liveCredit{id: c.lastID, expireAt: now.Add(creditLife), slots: slots, prefetch: prefetch}
	c.byID[credit.id] = credit
	c.order.push(credit)
	c.slots += slots
	c.prefetch += prefetch
	return &workerpb.Credit{CreditId: credit.id, Slots: int32(slots), Prefetch: int32(prefetch)}
}

// live returns the credit if it is alive, else nil. A spent or voided credit stays alive because it remembers its
// attempts.
func (c *credits) live(id uint64, now time.Time) *liveCredit {
	credit := c.byID[id]
	if credit == nil || !now.Before(credit.expireAt) {
		return nil
	}
	return credit
}

// remembers reports whether the credit may still be stored on the server, as far as the worker knows.
func (c *credits) remembers(id uint64) bool { return c.byID[id] != nil }

// spend takes a permit of the kind for the attempt, as the server did, and remembers the attempt even if no permit was
// left.
func (c *credits) spend(credit *liveCredit, key attemptKey, prefetch bool) {
	if credit.seen == nil {
		credit.seen = map[attemptKey]struct{}{}
	}
	credit.seen[key] = struct{}{}
	switch {
	case prefetch && credit.prefetch > 0:
		credit.prefetch--
		c.prefetch--
	case !prefetch && credit.slots > 0:
		credit.slots--
		c.slots--
	default:
		return
	}
	if !credit.unspent() {
		c.markSpent(credit)
	}
}

// voidAll voids every credit with unspent permits and returns their ids.
func (c *credits) voidAll() []uint64 {
	return c.voidWhere(func(*liveCredit) bool { return true })
}

// voidAging voids unspent credits that end soon, so that the dispatcher never uses a credit that is about to end.
func (c *credits) voidAging(now time.Time) []uint64 {
	return c.voidWhere(func(credit *liveCredit) bool { return credit.expireAt.Sub(now) < creditReplaceBelow })
}

func (c *credits) voidWhere(condition func(*liveCredit) bool) []uint64 {
	if c.slots+c.prefetch == 0 {
		return nil
	}
	var ids []uint64
	for _, credit := range c.order.items[c.order.head:] {
		if condition(credit) && c.void(credit.id) {
			ids = append(ids, credit.id)
		}
	}
	return ids
}

// void voids one credit. It returns false if the credit had no unspent permits.
func (c *credits) void(id uint64) bool {
	credit := c.byID[id]
	if credit == nil || !credit.unspent() {
		return false
	}
	c.slots -= credit.slots
	c.prefetch -= credit.prefetch
	credit.slots, credit.prefetch = 0, 0
	c.markSpent(credit)
	return true
}

// expire removes the credits that have ended.
func (c *credits) expire(now time.Time) {
	for {
		credit, ok := c.order.peek()
		if !ok || now.Before(credit.expireAt) {
			return
		}
		c.order.shift()
		c.slots -= credit.slots
		c.prefetch -= credit.prefetch
		credit.slots, credit.prefetch = 0, 0
		delete(c.byID, credit.id)
	}
}

// markSpent bounds the number of remembered spent credits. Removing one early is harmless: an attempt that named it is
// either held, or closed on the server, which then refuses the release of a late duplicate.
func (c *credits) markSpent(credit *liveCredit) {
	c.spent.push(credit.id)
	if c.spent.len() <= maxSpentCredits {
		return
	}
	id, _ := c.spent.shift()
	if oldest := c.byID[id]; oldest != nil {
		oldest.seen = nil
		delete(c.byID, id)
	}
}
