package core

import (
	"log/slog"

	pb "muster.dev/sdk/go/musterpb"
)

// BusOptions says what to subscribe to, and whom to tell. The functions may be called from any goroutine, but not from
// within a call of Connect, Reconnect or Close.
type BusOptions struct {
	URLs    []string
	Subject string
	// Credentials are the newest ones; asked for at each connection. nil: the bus asks for none.
	Credentials func() *pb.NatsCredentials
	OnMessage   func(*pb.SessionMessage)
	// OnStatus is told true each time the subscription has come into force, false each time it is lost.
	OnStatus func(connected bool)
}

// BusConnection is a subscription that keeps itself connected until it is closed.
type BusConnection interface {
	// Reconnect drops the connection and makes a new one.
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
	RunTimeout StopReason = "run_timeout"
	LeaseLost  StopReason = "lease_lost"
	Shutdown   StopReason = "shutdown"
)

// Runner runs handlers.
type Runner interface {
	// Start has the handler run on a goroutine of its own, which calls Core.Enter first. stop, which may be called at any
	// time after that and doesn't block, signals the handler; it still has to return, and Core.Ended is told.
	Start(execution *Execution) (stop func(StopReason))
}

// EventKind is what happened to the worker's session.
type EventKind string

// The kinds of events.
const (
	Opened EventKind = "opened"
	// Ready: the session hears the bus and has granted credits.
	Ready EventKind = "ready"
	// Fenced: the lease can't be proved any more, and nothing is accepted until a heartbeat is answered.
	Fenced    EventKind = "fenced"
	Recovered EventKind = "recovered"
	// Lost: the server has closed the session; a new one is being opened.
	Lost     EventKind = "lost"
	Draining EventKind = "draining"
	Closed   EventKind = "closed"
	// Failed: the server refuses the worker for good.
	Failed EventKind = "failed"
)

// Event is something that happened to the worker's session.
type Event struct {
	Kind EventKind
	// SessionID is the session's UUID, 16 bytes, and MaxPayload the largest payload in bytes; 0: no bound. Of Opened.
	SessionID  []byte
	MaxPayload int
	// Err is what Failed failed with.
	Err error
}

// Ports are what the core needs of the world.
type Ports struct {
	API    pb.SessionServiceClient
	Bus    Bus
	Runner Runner
	// OnEvent is called with the lock held: it neither blocks nor calls the core.
	OnEvent func(Event)
	Logger  *slog.Logger
}
