package muster

import (
	"log/slog"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
)

// maxEvents is the maximum number of events queued for OnEvent; further events are dropped.
const maxEvents = 1_000

// life is the lifetime of a running worker: it delivers events and holds the final error.
type life struct {
	// over is closed at the end, after err was set.
	over chan struct{}
	err  error
	// events are queued for OnEvent; nil if there is no OnEvent.
	events chan core.Event
	// delivered is closed after the last call of OnEvent.
	delivered chan struct{}
	logger    *slog.Logger
}

func newLife(onEvent func(WorkerEvent), logger *slog.Logger) *life {
	l := &life{over: make(chan struct{}), delivered: make(chan struct{}), logger: logger}
	if onEvent == nil {
		close(l.delivered)
		return l
	}
	l.events = make(chan core.Event, maxEvents)
	go func() {
		defer close(l.delivered)
		for event := range l.events {
			onEvent(WorkerEvent(event.Kind))
		}
	}()
	return l
}

// happened never blocks: it is called with the core's lock held.
func (l *life) happened(event core.Event) {
	isOver := event.Kind == core.Closed || event.Kind == core.Failed
	if l.events != nil && event.Kind != core.Failed {
		select {
		case l.events <- event:
		default:
			l.logger.Warn("an event of the worker was dropped, since OnEvent does not return", "event", string(event.Kind))
		}
	}
	if !isOver {
		return
	}
	l.err = asError(event.Err)
	if l.events != nil {
		close(l.events)
	}
	close(l.over)
}

// overWithin waits for the end, but at most for the given time.
func (l *life) overWithin(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.over:
	case <-timer.C:
	}
}

// end returns the worker's final error once all events are delivered.
func (l *life) end() error {
	<-l.delivered
	return l.err
}
