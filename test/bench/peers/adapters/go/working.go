package main

import (
	"context"
	"sync"
	"time"
)

// Interval of a worker's reports: long enough to cost nothing, short enough to show when all is done.
const tell = 10 * time.Millisecond

type counts struct {
	sync.Mutex
	handled int
	waits   []float64
}

func (c *counts) add(waits ...float64) {
	c.Lock()
	defer c.Unlock()
	c.handled++
	c.waits = append(c.waits, waits...)
}

func (c *counts) take() (int, []float64) {
	c.Lock()
	defer c.Unlock()
	waits := c.waits
	c.waits = nil
	return c.handled, waits
}

func (c *counts) tell() {
	told := 0
	for range time.Tick(tell) {
		handled, waits := c.take()
		if len(waits) > 0 {
			say(map[string]any{"event": "waits", "waits": waits})
		}
		if handled != told {
			say(map[string]any{"event": "handled", "handled": handled})
		}
		told = handled
	}
}

// countingHandler starts the reports of the number of handled jobs.
func countingHandler() Handler {
	counted := &counts{}
	go counted.tell()
	return func(ctx context.Context, work Work) {
		switch work.What {
		case "clock":
			counted.add(now() - work.Sent)
			return
		case "sleep":
			time.Sleep(time.Duration(work.Ms * float64(time.Millisecond)))
		case "hold":
			say(map[string]any{"event": "started", "time": now()})
			<-ctx.Done()
			say(map[string]any{"event": "stopped", "time": now()})
		}
		counted.add()
	}
}
