package core

import (
	"log/slog"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// BusOptions describes a subscription and its callbacks. The callbacks may be called from any goroutine, but not from
// within a call of Connect, Reconnect or Close.
type BusOptions struct {
	// URLs returns the newest addresses and is called after each Reconnect.
	URLs    func() []string
	Subject string
	// Credentials returns the newest credentials and is called for each connection. nil means that the bus requires
	// none.
	Credentials func() *workerpb.NatsCredentials
	OnMessage   func(*workerpb.SessionMessage)
	// OnStatus is called with true each time the subscription becomes active, with false each time it is lost.
	OnStatus func(connected bool)
}

// BusConnection is a subscription that reconnects by itself until it is closed.
type BusConnection interface {
	// Reconnect drops the connection, or the attempts at one, and makes a new one.
	Reconnect()
	Close()
}

// Bus makes subscriptions. Its methods and theirs don't block.
type Bus interface {
	Connect(BusOptions) BusConnection
}

// StopReason is why a handler is asked to stop.
type StopReason string

// The reasons.
const (
	Cancelled  StopReason = "cancelled"
	Suspended  StopReason = "suspended"
	RunTimeout StopReason = "run_timeout"
	LeaseLost  StopReason = "lease_lost"
	Shutdown   StopReason = "shutdown"
)

// Runner runs handlers.
type Runner interface {
	// Start runs the handler on its own goroutine, which must call Core.Enter first. stop signals the handler; it may
	// be called at any time after Start and doesn't block. The handler still has to return, and Core.Ended is called
	// then.
	Start(execution *Execution) (stop func(StopReason))
}

// EventKind is the kind of an event of the worker's session.
type EventKind string

// The kinds of events.
const (
	Opened EventKind = "opened"
	// Ready means that the session receives messages of the bus and has granted credits.
	Ready EventKind = "ready"
	// Fenced means that the lease can't be proved any more, and nothing is accepted until a heartbeat is answered.
	Fenced    EventKind = "fenced"
	Recovered EventKind = "recovered"
	// Lost means that the server has closed the session; a new one is being opened.
	Lost     EventKind = "lost"
	Draining EventKind = "draining"
	Closed   EventKind = "closed"
	// Failed means that the server permanently refuses the worker or one of its definitions.
	Failed EventKind = "failed"
)

// Event is an event of the worker's session.
type Event struct {
	Kind EventKind
	// SessionID is the session's UUID, 16 bytes, and MaxPayload the maximum size of a payload in bytes; 0 means no
	// limit. Set for Opened.
	SessionID  []byte
	MaxPayload int
	// Err is the error of Failed.
	Err error
}

// Ports are the interfaces that the core needs.
type Ports struct {
	API    workerpb.SessionServiceClient
	Bus    Bus
	Runner Runner
	// Definitions are applied in this order before the first session is opened.
	Definitions []Definition
	// OnEvent is called with the lock held: it must neither block nor call the core.
	OnEvent func(Event)
	Logger  *slog.Logger
}
