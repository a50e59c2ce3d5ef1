package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

// Core is the worker's side of the protocol.
type Core struct {
	ports    Ports
	request  *pb.OpenSessionRequest
	handlers map[string]*pb.Handler
	// calls ends those that are under way when the worker ends.
	calls  context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	stats    Stats
	places   places
	rate     *completionRate
	opener   *opener
	session  *session
	openedAt time.Time
	draining bool
	closed   bool
}

// New makes a core of what the worker says of itself when it opens a session, request id apart; its slots and handlers also
// rule what is accepted.
func New(request *pb.OpenSessionRequest, ports Ports) (*Core, error) {
	if err := CheckSlots(int(request.Slots)); err != nil {
		return nil, err
	}
	c := &Core{
		ports:    ports,
		request:  request,
		handlers: map[string]*pb.Handler{},
		places:   places{slots: int(request.Slots)},
		rate:     newCompletionRate(time.Now()),
	}
	c.calls, c.cancel = context.WithCancel(context.Background())
	for _, handler := range request.Handlers {
		c.handlers[handler.Name] = handler
	}
	c.opener = &opener{core: c, request: request, opened: c.opened, failed: c.failed}
	c.opener.retry = newAlarm(c.do, c.opener.call)
	return c, nil
}

// CheckSlots says what is wrong with a number of slots.
func CheckSlots(slots int) error {
	if slots >= 1 && slots <= MaxSlots {
		return nil
	}
	return fmt.Errorf("slots must be from 1 to %d, not %d", MaxSlots, slots)
}

// Start opens the first session.
func (c *Core) Start() { c.do(func() { c.opener.open(0) }) }

// Enter is called by the goroutine of a handler right before it calls it. False: the attempt was taken back, and the
// handler must not be called; Ended is not to be told. A goroutine that got its turn late finds a fence that fell meanwhile.
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

// Ended: the handler has returned.
func (c *Core) Ended(execution *Execution, outcome Outcome) {
	c.do(func() {
		c.rate.add(time.Now(), 1)
		c.places.release(execution)
		if c.session != nil {
			c.session.attempts.ended(execution, outcome)
			c.session.advance()
		}
	})
}

// Progress, Checkpoint, Log and ExtendRunTimeout say nothing where nobody asks any more how far the handler is.
func (c *Core) Progress(execution *Execution, progress *pb.Progress) {
	c.ifHeld(execution, func() { c.session.progress(execution.held, progress) })
}

// Checkpoint keeps what a later attempt may start from.
func (c *Core) Checkpoint(execution *Execution, checkpoint *pb.Payload) {
	c.ifHeld(execution, func() { c.session.checkpoint(execution.held, checkpoint) })
}

// Log adds a record to the attempt's log. Its sequence is filled in.
func (c *Core) Log(execution *Execution, record *pb.LogRecord) {
	c.ifHeld(execution, func() { c.session.log(execution.held, record) })
}

// ExtendRunTimeout asks for more time. extension is all that the handler has asked for so far.
func (c *Core) ExtendRunTimeout(execution *Execution, extension time.Duration) {
	c.ifHeld(execution, func() { c.session.extendRunTimeout(execution, extension) })
}

// SetSlots changes how many handlers may run at once. Those that run go on.
func (c *Core) SetSlots(slots int) error {
	if err := CheckSlots(slots); err != nil {
		return err
	}
	c.do(func() {
		c.places.slots = slots
		c.request.Slots = int32(slots)
		if c.session != nil {
			c.session.regrant()
		}
	})
	return nil
}

// Drain takes nothing more, gives back what has not started, finishes the rest, then closes.
func (c *Core) Drain() { c.do(c.drain) }

// Close signals every handler and ends the session; the server gives its attempts back at once.
func (c *Core) Close() { c.do(c.close) }

// Stats gives the counts as they are now.
func (c *Core) Stats() (stats Stats) {
	c.do(func() { stats = c.stats })
	return stats
}

// do runs what touches the state, one thing after the other.
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

// answer makes a call on a goroutine of its own, which has the timeout, and gives its answer to then.
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
	request := &pb.CloseSessionRequest{SessionId: ended.id}
	call := func(ctx context.Context) (*pb.CloseSessionResponse, error) {
		return c.ports.API.CloseSession(ctx, request)
	}
	answer(c, closeTimeout, call, func(_ *pb.CloseSessionResponse, err error) {
		if err != nil {
			c.ports.Logger.Warn("the session could not be closed; it lapses by itself", "error", err)
		}
		c.cancel()
		c.ports.OnEvent(Event{Kind: Closed})
	})
}

// end stops everything on this side; false when that was done before.
func (c *Core) end() bool {
	if c.closed {
		return false
	}
	c.closed = true
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

func (c *Core) opened(response *pb.OpenSessionResponse, openedAt time.Time) {
	c.stats.Sessions++
	c.openedAt = time.Now()
	c.session = newSession(c, response, openedAt)
	c.ports.OnEvent(Event{Kind: Opened, SessionID: response.SessionId, MaxPayload: int(response.MaxPayload)})
	c.session.start(response)
}

// lost: everything of the session is stopped and dropped; places stay taken until their handlers return.
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
	// A session that did not last is not followed by another one at once, lest the two chase each other.
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
