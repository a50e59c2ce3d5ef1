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

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/internal/natsbus"
	"github.com/muster-jobs/muster/sdk/go/internal/transport"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

const (
	defaultNamespace   = "default"
	defaultSlots       = 10
	defaultStopTimeout = 30 * time.Second
)

// WorkerOptions configures [NewWorker].
type WorkerOptions struct {
	// Address is host:port of the control plane, or any gRPC target that names several replicas, such as
	// "dns:///muster:7070". Required.
	Address string
	// Name is the worker's name in lists; several workers may share it. ^[a-z0-9][a-z0-9._-]{0,62}$. Required.
	Name string
	// Namespace is the namespace of the jobs that the worker runs. Default: "default".
	Namespace string
	// Slots is the maximum number of handlers that run concurrently, from 1 to 10,000. Default: 10. CPU-bound handlers
	// need no more slots than the machine has cores.
	Slots int
	// Definitions are applied in this order when the worker runs, before its session is opened, as
	// [Client.ApplyDefinition] does in the worker's namespace: a workflow follows the definitions of its steps. When
	// workers apply different definitions of one name, the one that is applied last is the newest version. Two of the same
	// name, and one of another namespace, are invalid. Default: none.
	Definitions []*pb.JobDefinition
	// Labels are labels that jobs may demand. At most 64.
	Labels map[string]string
	// Resources are totals from which jobs take what they demand, such as {"cpu": 8, "memory": 17179869184}: cores,
	// bytes. You define the meaning of other names. At most 16.
	Resources map[string]float64
	// StopTimeout is how long Run waits for handlers after its context has ended. Default: 30 s. A negative time means
	// no wait.
	StopTimeout time.Duration
	// Logger receives the records of the worker and of [Job.Logger]. Default: slog.Default().
	Logger *slog.Logger
	// OnEvent is called with the events of the worker's session, in order, on its own goroutine. Run returns after
	// OnEvent was called for the end.
	OnEvent func(WorkerEvent)
	// DialOptions are applied after those of the SDK, which are plain text, keep-alive and round robin.
	DialOptions []grpc.DialOption
}

// WorkerEvent is an event of the worker's session.
type WorkerEvent string

const (
	// EventOpened means that a session was opened.
	EventOpened WorkerEvent = "opened"
	// EventReady means that the session can receive jobs.
	EventReady WorkerEvent = "ready"
	// EventFenced means that the worker can't prove its lease and has stopped its handlers; it keeps trying.
	EventFenced WorkerEvent = "fenced"
	// EventRecovered means that the worker can prove its lease again.
	EventRecovered WorkerEvent = "recovered"
	// EventLost means that the server has closed the session; a new one is being opened.
	EventLost WorkerEvent = "lost"
	// EventDraining means that the worker accepts no more jobs.
	EventDraining WorkerEvent = "draining"
	// EventClosed means that the worker has ended.
	EventClosed WorkerEvent = "closed"
)

// Stats holds the counters of a worker. They only increase.
type Stats struct {
	// Sessions counts opened sessions.
	Sessions int
	// SessionsLost counts sessions that the server closed.
	SessionsLost int
	// Accepted counts accepted attempts.
	Accepted int
	// Duplicates counts assignments ignored because the attempt was known.
	Duplicates int
	// Ignored counts assignments ignored because the lease could not be proved, or the held list was full.
	Ignored int
	// Released counts attempts given back before their handler was entered.
	Released int
	// Aborted counts handlers stopped because the lease could not be proved.
	Aborted int
	// Fences counts how often the lease could no longer be proved.
	Fences int
	// Timeouts counts handlers stopped by their run timeout.
	Timeouts int
	// Cancels counts cancels received for running handlers.
	Cancels int
	// Acknowledged counts acknowledged reports.
	Acknowledged int
}

// Worker runs jobs. Register handlers with [Handle], then call Run once.
type Worker struct {
	options    WorkerOptions
	logger     *slog.Logger
	connection *grpc.ClientConn
	jobs       pb.JobServiceClient
	// maxPayload is the session's limit in bytes; 0 means no limit.
	maxPayload atomic.Int64
	sessionID  atomic.Value // string
	// ready is closed once, when the worker can receive jobs or has ended.
	ready     chan struct{}
	readyOnce sync.Once

	mu       sync.Mutex
	handlers map[string]registered
	core     *core.Core
}

// NewWorker creates a worker. It makes no call yet. It fails on invalid options.
func NewWorker(options WorkerOptions) (*Worker, error) {
	if options.Address == "" {
		return nil, errors.New("muster: the worker needs an Address, such as 127.0.0.1:7070")
	}
	if options.Name == "" {
		return nil, errors.New("muster: the worker needs a Name")
	}
	if options.Slots == 0 {
		options.Slots = defaultSlots
	}
	if err := core.CheckSlots(options.Slots); err != nil {
		return nil, err
	}
	if err := checkDefinitions(options.Definitions, options.Namespace); err != nil {
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
		ready:      make(chan struct{}),
		handlers:   map[string]registered{},
	}
	w.sessionID.Store("")
	return w, nil
}

// SessionID returns the UUID of the current session. Empty while there is none.
func (w *Worker) SessionID() string { return w.sessionID.Load().(string) }

// Ready returns a channel that is closed when the worker can receive jobs for the first time: its definitions are
// applied, and its session is open. The channel is also closed when Run ends.
func (w *Worker) Ready() <-chan struct{} { return w.ready }

// Stats returns the current counters.
func (w *Worker) Stats() Stats {
	if running := w.running(); running != nil {
		return Stats(running.Stats())
	}
	return Stats{}
}

// SetSlots changes the maximum number of concurrent handlers, from 1 to 10,000. Running handlers continue.
func (w *Worker) SetSlots(slots int) error {
	if running := w.running(); running != nil {
		return running.SetSlots(slots)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.options.Slots = slots
	return core.CheckSlots(slots)
}

// Run runs jobs until the context ends or the server drains the worker. Then the worker accepts no more jobs, gives
// back those that have not started, and waits for running handlers. Handlers that still run after
// [WorkerOptions].StopTimeout are asked to stop, and their jobs are given back. The handlers' contexts carry the values
// of ctx, but do not end with it.
//
// Run first applies [WorkerOptions].Definitions, then opens a session. It repeats both without limit while the control
// plane can't be reached.
//
// Errors: *[Error] when the server refuses a definition, or permanently refuses the worker.
func (w *Worker) Run(ctx context.Context) error {
	running, life, err := w.start(ctx)
	if err != nil {
		if w.running() == nil {
			w.becomeReady()
		}
		return err
	}
	defer w.connection.Close() // fails only if it is closed already
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
		API:         workerpb.NewSessionServiceClient(w.connection),
		Bus:         natsbus.Bus{Logger: w.logger},
		Runner:      runner,
		Definitions: w.definitionCalls(),
		Logger:      w.logger,
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

// note stores the session's facts that handlers need, before any handler of the session starts.
func (w *Worker) note(event core.Event) {
	switch event.Kind {
	case core.Opened:
		w.sessionID.Store(uuid.Text(event.SessionID))
		w.maxPayload.Store(int64(event.MaxPayload))
	case core.Ready:
		w.becomeReady()
	case core.Lost:
		w.sessionID.Store("")
	case core.Closed, core.Failed:
		w.sessionID.Store("")
		w.becomeReady()
	}
}

func (w *Worker) becomeReady() { w.readyOnce.Do(func() { close(w.ready) }) }

func (w *Worker) openRequest() *workerpb.OpenSessionRequest {
	request := &workerpb.OpenSessionRequest{
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
