package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// Core is the worker's side of the dispatch protocol.
type Core struct {
	ports    Ports
	request  *workerpb.OpenSessionRequest
	handlers map[string]*pb.Handler
	// calls is the context of all calls; cancelling it ends them when the worker ends.
	calls  context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	stats    Stats
	slots    slotTable
	rate     *completionRate
	applier  *applier
	opener   *opener
	session  *session
	openedAt time.Time
	draining bool
	closed   bool
}

// New creates a core. request describes the worker when a session is opened, except for the request id; its slots and
// handlers also decide which assignments are accepted.
func New(request *workerpb.OpenSessionRequest, ports Ports) (*Core, error) {
	if err := CheckSlots(int(request.Slots)); err != nil {
		return nil, err
	}
	c := &Core{
		ports:    ports,
		request:  request,
		handlers: map[string]*pb.Handler{},
		slots:    slotTable{size: int(request.Slots)},
		rate:     newCompletionRate(time.Now()),
	}
	c.calls, c.cancel = context.WithCancel(context.Background())
	for _, handler := range request.Handlers {
		c.handlers[handler.Name] = handler
	}
	c.opener = &opener{core: c, request: request, opened: c.opened, failed: c.failed}
	c.opener.retry = newAlarm(c.do, c.opener.call)
	c.applier = &applier{core: c, left: ports.Definitions, applied: func() { c.opener.open(0) }, failed: c.failed}
	c.applier.retry = newAlarm(c.do, c.applier.call)
	return c, nil
}

// CheckSlots returns an error for an invalid number of slots.
func CheckSlots(slots int) error {
	if slots >= 1 && slots <= MaxSlots {
		return nil
	}
	return fmt.Errorf("slots must be from 1 to %d, not %d", MaxSlots, slots)
}

// Start applies the definitions, then opens the first session.
func (c *Core) Start() { c.do(c.applier.call) }

// Enter is called by a handler's goroutine right before it calls the handler. If it returns false, the attempt was
// given back: the handler must not be called, nor Ended. The fence is checked here, because it may have passed while
// the goroutine waited to be scheduled.
func (c *Core) Enter(execution *Execution) (entered bool) {
	c.do(func() {
		if execution.held != nil && c.session.fence.passed(time.Now()) {
			c.session.watch()
		}
		entered = !execution.withdrawn
		execution.entered = entered
	})
	return entered
}

// Ended is called when the handler has returned.
func (c *Core) Ended(execution *Execution, outcome Outcome) {
	c.do(func() {
		c.rate.add(time.Now(), 1)
		c.slots.release(execution)
		if c.session != nil {
			c.session.attempts.ended(execution, outcome)
			c.session.advance()
		}
	})
}

// Progress stores the handler's progress for the next heartbeat. Like Checkpoint, Log and ExtendRunTimeout it does
// nothing once the attempt is no longer held.
func (c *Core) Progress(execution *Execution, progress *pb.Progress) {
	c.ifHeld(execution, func() { c.session.progress(execution.held, progress) })
}

// Checkpoint stores a value from which a later attempt may continue.
func (c *Core) Checkpoint(execution *Execution, checkpoint *pb.Payload) {
	c.ifHeld(execution, func() { c.session.checkpoint(execution.held, checkpoint) })
}

// Log adds a record to the attempt's log. The record's sequence is already set.
func (c *Core) Log(execution *Execution, record *pb.LogRecord) {
	c.ifHeld(execution, func() { c.session.log(execution.held, record) })
}

// ExtendRunTimeout requests more time. extension is the total that the handler has requested so far.
func (c *Core) ExtendRunTimeout(execution *Execution, extension time.Duration) {
	c.ifHeld(execution, func() { c.session.extendRunTimeout(execution, extension) })
}

// SetSlots changes the maximum number of concurrent handlers. Running handlers continue.
func (c *Core) SetSlots(slots int) error {
	if err := CheckSlots(slots); err != nil {
		return err
	}
	c.do(func() {
		c.slots.size = slots
		c.request.Slots = int32(slots)
		if c.session != nil {
			c.session.regrant()
		}
	})
	return nil
}

// Drain stops accepting attempts, gives back those not started, lets the others finish, then closes.
func (c *Core) Drain() { c.do(c.drain) }

// Close stops every handler and ends the session; the server reassigns its attempts at once.
func (c *Core) Close() { c.do(c.close) }

// Stats returns the current counters.
func (c *Core) Stats() (stats Stats) {
	c.do(func() { stats = c.stats })
	return stats
}

// do runs a function with the lock held; every access to the state goes through it.
func (c *Core) do(run func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	run()
}

func (c *Core) ifHeld(execution *Execution, run func()) {
	c.do(func() {
		if execution.held != nil {
			run()
		}
	})
}

// answer makes a call on a new goroutine, with a timeout, and passes the answer to then with the lock held.
func answer[T any](c *Core, timeout time.Duration, call func(context.Context) (T, error), then func(T, error)) {
	go func() {
		ctx, cancel := context.WithTimeout(c.calls, timeout)
		defer cancel()
		response, err := call(ctx)
		c.do(func() { then(response, err) })
	}()
}

func (c *Core) drain() {
	if c.draining || c.closed {
		return
	}
	c.draining = true
	c.ports.OnEvent(Event{Kind: Draining})
	if c.session != nil {
		c.session.drain()
	} else {
		c.close()
	}
}

func (c *Core) close() {
	ended := c.session
	if !c.end() {
		return
	}
	if ended == nil {
		c.cancel()
		c.ports.OnEvent(Event{Kind: Closed})
		return
	}
	request := &workerpb.CloseSessionRequest{SessionId: ended.id}
	call := func(ctx context.Context) (*workerpb.CloseSessionResponse, error) {
		return c.ports.API.CloseSession(ctx, request)
	}
	answer(c, closeTimeout, call, func(_ *workerpb.CloseSessionResponse, err error) {
		if err != nil {
			c.ports.Logger.Warn("the session could not be closed; it lapses by itself", "error", err)
		}
		c.cancel()
		c.ports.OnEvent(Event{Kind: Closed})
	})
}

// end stops everything on this side. It returns false if that was done before.
func (c *Core) end() bool {
	if c.closed {
		return false
	}
	c.closed = true
	c.applier.cancel()
	c.opener.cancel()
	if c.session != nil {
		c.session.close(Shutdown)
		c.session = nil
	}
	return true
}

func (c *Core) failed(err error) {
	if c.end() {
		c.cancel()
		c.ports.OnEvent(Event{Kind: Failed, Err: err})
	}
}

func (c *Core) opened(response *workerpb.OpenSessionResponse, openedAt time.Time) {
	c.stats.Sessions++
	c.openedAt = time.Now()
	c.session = newSession(c, response, openedAt)
	c.ports.OnEvent(Event{Kind: Opened, SessionID: response.SessionId, MaxPayload: int(response.MaxPayload)})
	c.session.start(response)
}

// lost stops and drops everything of the session. Slots stay taken until their handlers return.
func (c *Core) lost() {
	c.stats.SessionsLost++
	c.session.close(LeaseLost)
	c.session = nil
	c.ports.Logger.Warn("the session was closed by the server; a new one is opened")
	c.ports.OnEvent(Event{Kind: Lost})
	if c.draining {
		c.close()
		return
	}
	// After a short session the next one is delayed, so that sessions are not opened and lost in a tight loop.
	var delay time.Duration
	if time.Since(c.openedAt) < shortSession {
		delay = shortSession/2 + rand.N(shortSession/2)
	}
	c.opener.open(delay)
}

func (c *Core) supports(name string, version int32) bool {
	handler := c.handlers[name]
	if handler == nil || version < handler.MinVersion {
		return false
	}
	return handler.MaxVersion == 0 || version <= handler.MaxVersion
}
