package core

import "time"

// cancels remembers cancels that overtook their assignments.
type cancels struct {
	forgetAt map[attemptKey]time.Time
	// order is the order of arrival, which is also the order of removal. A repeated cancel has two entries.
	order fifo[rememberedCancel]
}

type rememberedCancel struct {
	key      attemptKey
	forgetAt time.Time
}

func newCancels() *cancels { return &cancels{forgetAt: map[attemptKey]time.Time{}} }

func (c *cancels) remember(key attemptKey, now time.Time) {
	c.forget(now)
	forgetAt := now.Add(cancelMemory)
	c.forgetAt[key] = forgetAt
	c.order.push(rememberedCancel{key, forgetAt})
}

func (c *cancels) has(key attemptKey, now time.Time) bool {
	forgetAt, ok := c.forgetAt[key]
	return ok && now.Before(forgetAt)
}

func (c *cancels) forget(now time.Time) {
	for {
		first, ok := c.order.peek()
		if !ok || (now.Before(first.forgetAt) && c.order.len() < maxCancels) {
			return
		}
		c.order.shift()
		if c.forgetAt[first.key].Equal(first.forgetAt) {
			delete(c.forgetAt, first.key)
		}
	}
}
