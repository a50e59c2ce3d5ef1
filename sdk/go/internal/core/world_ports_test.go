package core

import (
	"context"
	"encoding/binary"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

func failedPrecondition(reason string) error {
	said, _ := status.New(codes.FailedPrecondition, "refused").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "muster"})
	return said.Err()
}

func overloaded(delay time.Duration) error {
	said, _ := status.New(codes.ResourceExhausted, "too much").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
	return said.Err()
}

// wait simulates a call of the given duration; it fails as in gRPC when its context ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-time.After(d):
		return nil
	}
}

func (w *world) OpenSession(ctx context.Context, request *workerpb.OpenSessionRequest, _ ...grpc.CallOption) (*workerpb.OpenSessionResponse, error) {
	if err := wait(ctx, time.Millisecond); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.opens = append(w.opens, request)
	number, answer := len(w.opens), w.onOpen
	w.mu.Unlock()
	if answer != nil {
		return answer(request)
	}
	return opened(number), nil
}

func opened(number int) *workerpb.OpenSessionResponse {
	return &workerpb.OpenSessionResponse{
		SessionId:    binary.BigEndian.AppendUint64(make([]byte, 8), uint64(number)),
		BeatInterval: durationpb.New(5 * time.Second),
		Lease:        durationpb.New(15 * time.Second),
		NatsUrls:     []string{"nats://bus"},
		Subject:      "muster.v1.session.x",
		MaxPayload:   1_000,
	}
}

func (w *world) SendHeartbeat(ctx context.Context, request *workerpb.SendHeartbeatRequest, _ ...grpc.CallOption) (*workerpb.SendHeartbeatResponse, error) {
	w.mu.Lock()
	w.beats = append(w.beats, sentBeat{time.Now(), request})
	w.pings++
	latency, bus, ping, down, answer := w.beatLatency, w.bus, w.pings, w.busDown, w.onBeat
	w.mu.Unlock()
	if err := wait(ctx, latency); err != nil {
		return nil, err
	}
	if bus != nil && !down {
		go bus.OnMessage(&workerpb.SessionMessage{Ping: ping})
	}
	if answer != nil {
		return answer(request)
	}
	return &workerpb.SendHeartbeatResponse{}, nil
}

func (w *world) ReportAttempts(ctx context.Context, request *workerpb.ReportAttemptsRequest, _ ...grpc.CallOption) (*workerpb.ReportAttemptsResponse, error) {
	w.mu.Lock()
	w.reports = append(w.reports, request)
	answer := w.onReport
	w.mu.Unlock()
	if err := wait(ctx, time.Millisecond); err != nil {
		return nil, err
	}
	if answer != nil {
		return answer(request)
	}
	return accepted(request), nil
}

func accepted(request *workerpb.ReportAttemptsRequest) *workerpb.ReportAttemptsResponse {
	response := &workerpb.ReportAttemptsResponse{}
	for range request.Reports {
		response.Results = append(response.Results, workerpb.ReportResult_REPORT_RESULT_ACCEPTED)
	}
	return response
}

func (w *world) CloseSession(ctx context.Context, _ *workerpb.CloseSessionRequest, _ ...grpc.CallOption) (*workerpb.CloseSessionResponse, error) {
	if err := wait(ctx, time.Millisecond); err != nil {
		return nil, err
	}
	w.locked(func() { w.closes++ })
	return &workerpb.CloseSessionResponse{}, nil
}

func (w *world) Connect(options BusOptions) BusConnection {
	w.locked(func() { w.bus = &options })
	go func() {
		time.Sleep(time.Millisecond)
		options.OnStatus(true)
	}()
	return busConnection{w}
}

type busConnection struct{ world *world }

func (c busConnection) Reconnect() { go c.world.locked(func() { c.world.reconnects++ }) }
func (c busConnection) Close()     {}

// Start runs a handler that returns the outcome given to finish, or nothing if the test ends.
func (w *world) Start(execution *Execution) func(StopReason) {
	run := &handlerRun{execution: execution, outcome: make(chan Outcome)}
	go func() {
		entered := w.core.Enter(execution)
		w.locked(func() {
			if entered {
				run.entered = true
				w.runs[execution.Assignment.JobId[15]] = run
			} else {
				w.refusedRun++
			}
		})
		if !entered {
			return
		}
		outcome, given := <-run.outcome
		if !given {
			outcome = Failure(&pb.Failure{Type: "TestOver"})
		}
		w.locked(func() { delete(w.runs, execution.Assignment.JobId[15]) })
		w.core.Ended(execution, outcome)
	}()
	return func(reason StopReason) { w.locked(func() { run.stops = append(run.stops, reason) }) }
}
