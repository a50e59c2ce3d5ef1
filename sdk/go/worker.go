package muster

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"muster.dev/sdk/go/internal/core"
	"muster.dev/sdk/go/internal/natsbus"
	"muster.dev/sdk/go/internal/transport"
	"muster.dev/sdk/go/internal/uuid"
	pb "muster.dev/sdk/go/musterpb"
)

const (
	defaultSlots       = 10
	defaultStopTimeout = 30 * time.Second
)

// WorkerOptions are those of [NewWorker].
type WorkerOptions struct {
	// Address is host:port of the control plane, or any gRPC target that names several replicas, such as "dns:///muster:7070".
	// Needed.
	Address string
	// Name of the worker, for people; several may share it. ^[a-z0-9][a-z0-9._-]{0,62}$. Needed.
	Name string
	// Namespace of the jobs that it runs. Default: "default".
	Namespace string
	// Slots are the handlers that may run at once, from 1 to 10,000. Default: 10. Handlers that compute all the time need no more
	// of them than the machine has cores.
	Slots int
	// Labels that jobs may demand. At most 64.
	Labels map[string]string
	// Resources are totals, of which jobs take what they demand, such as {"cpu": 8, "memory": 17179869184}: cores, bytes. Other
	// names mean what you say. At most 16.
	Resources map[string]float64
	// StopTimeout is how long Run waits for handlers once its context has ended. Default: 30 s. A negative time: not at all.
	StopTimeout time.Duration
	// Logger is where the worker and [Job.Logger] write. Default: slog.Default().
	Logger *slog.Logger
	// OnEvent is told what becomes of the worker's session, in order, by a goroutine of its own. Run returns after it has been
	// told of the end.
	OnEvent func(WorkerEvent)
	// DialOptions come after those of the SDK, which are plain text, keep-alive and round robin.
	DialOptions []grpc.DialOption
}

// WorkerEvent is something that happened to the worker's session.
type WorkerEvent string

const (
	// EventOpened: there is a session.
	EventOpened WorkerEvent = "opened"
	// EventReady: it can be given jobs.
	EventReady WorkerEvent = "ready"
	// EventFenced: the worker can't prove its lease, and has stopped its handlers; it goes on trying.
	EventFenced WorkerEvent = "fenced"
	// EventRecovered: it can again.
	EventRecovered WorkerEvent = "recovered"
	// EventLost: the server has closed the session; a new one is being opened.
	EventLost WorkerEvent = "lost"
	// EventDraining: it takes nothing more.
	EventDraining WorkerEvent = "draining"
	// EventClosed: it has ended.
	EventClosed WorkerEvent = "closed"
)

// Stats counts what happened to a worker. The numbers only rise.
type Stats struct {
	// Sessions opened.
	Sessions int
	// SessionsLost: sessions that the server had closed.
	SessionsLost int
	// Accepted attempts.
	Accepted int
	// Duplicates: assignments ignored because the attempt was known.
	Duplicates int
	// Ignored: assignments ignored because the lease could not be proved, or the held list was full.
	Ignored int
	// Released: attempts given back before their handler was entered.
	Released int
	// Aborted: handlers stopped because the lease could not be proved.
	Aborted int
	// Fences: times that the lease could not be proved any more.
	Fences int
	// Timeouts: handlers stopped by their run timeout.
	Timeouts int
	// Cancels received for running handlers.
	Cancels int
	// Acknowledged reports.
	Acknowledged int
}

// Worker runs jobs. Register its handlers with [Handle], then Run it, once.
type Worker struct {
	options    WorkerOptions
	logger     *slog.Logger
	connection *grpc.ClientConn
	jobs       pb.JobServiceClient
	// maxPayload is the session's, in bytes; 0: no bound.
	maxPayload atomic.Int64
	sessionID  atomic.Value // string

	mu       sync.Mutex
	handlers map[string]registered
	core     *core.Core
}

// NewWorker makes a worker; nothing is asked of the network yet. It fails on options that can't be right.
func NewWorker(options WorkerOptions) (*Worker, error) {
	if options.Address == "" {
		return nil, errors.New("muster: the worker needs an Address, such as 127.0.0.1:7070")
	}
	if options.Name == "" {
		return nil, errors.New("muster: the worker needs a Name, for people to know it by")
	}
	if options.Slots == 0 {
		options.Slots = defaultSlots
	}
	if err := core.CheckSlots(options.Slots); err != nil {
		return nil, err
	}
	if options.StopTimeout == 0 {
		options.StopTimeout = defaultStopTimeout
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	connection, err := transport.Dial(options.Address, options.DialOptions)
	if err != nil {
		return nil, err
	}
	w := &Worker{
		options:    options,
		logger:     options.Logger,
		connection: connection,
		jobs:       pb.NewJobServiceClient(connection),
		handlers:   map[string]registered{},
	}
	w.sessionID.Store("")
	return w, nil
}

// SessionID is the UUID of the present session. Empty while there is none.
func (w *Worker) SessionID() string { return w.sessionID.Load().(string) }

// Stats gives the counts as they are now.
func (w *Worker) Stats() Stats {
	if running := w.running(); running != nil {
		return Stats(running.Stats())
	}
	return Stats{}
}

// SetSlots changes how many handlers may run at once, from 1 to 10,000. Those that run go on.
func (w *Worker) SetSlots(slots int) error {
	if running := w.running(); running != nil {
		return running.SetSlots(slots)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.options.Slots = slots
	return core.CheckSlots(slots)
}

// Run runs jobs until the context ends or the server drains the worker. Then it takes nothing more, gives back what has not
// started, and waits for the handlers that run; those that still run after [WorkerOptions].StopTimeout are asked to stop, and
// their jobs are given back. Values of the context are those of the handlers' contexts; its end is not.
//
// Errors: *[Error] when the server refuses the worker for good.
func (w *Worker) Run(ctx context.Context) error {
	running, life, err := w.start(ctx)
	if err != nil {
		return err
	}
	defer w.connection.Close() // it fails only when it is closed already
	select {
	case <-life.over:
		return life.end()
	case <-ctx.Done():
	}
	if w.options.StopTimeout > 0 {
		running.Drain()
		life.overWithin(w.options.StopTimeout)
	}
	running.Close()
	<-life.over
	return life.end()
}

func (w *Worker) start(ctx context.Context) (*core.Core, *life, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.core != nil {
		return nil, nil, errors.New("muster: a worker runs once; make another one")
	}
	if len(w.handlers) == 0 {
		return nil, nil, errors.New("muster: the worker has no handlers: register them with muster.Handle")
	}
	life := newLife(w.options.OnEvent, w.logger)
	runner := &runner{worker: w, base: context.WithoutCancel(ctx)}
	made, err := core.New(w.openRequest(), core.Ports{
		API:    pb.NewSessionServiceClient(w.connection),
		Bus:    natsbus.Bus{Logger: w.logger},
		Runner: runner,
		Logger: w.logger,
		OnEvent: func(event core.Event) {
			w.note(event)
			life.happened(event)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	runner.core = made
	w.core = made
	made.Start()
	return made, life, nil
}

func (w *Worker) running() *core.Core {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.core
}

// note keeps what handlers need to know of the session, before any of them is started under it.
func (w *Worker) note(event core.Event) {
	switch event.Kind {
	case core.Opened:
		w.sessionID.Store(uuid.Text(event.SessionID))
		w.maxPayload.Store(int64(event.MaxPayload))
	case core.Lost, core.Closed, core.Failed:
		w.sessionID.Store("")
	}
}

func (w *Worker) openRequest() *pb.OpenSessionRequest {
	request := &pb.OpenSessionRequest{
		Namespace:       w.options.Namespace,
		WorkerName:      w.options.Name,
		ProtocolVersion: protocolVersion,
		Sdk:             &pb.Sdk{Name: sdkName, Version: sdkVersion, Language: runtime.Version()},
		Labels:          w.options.Labels,
		Resources:       w.options.Resources,
		Slots:           int32(w.options.Slots),
	}
	for _, handler := range w.handlers {
		request.Handlers = append(request.Handlers, handler.message)
	}
	return request
}
