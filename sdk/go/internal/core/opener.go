package core

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"muster.dev/sdk/go/internal/rpcerror"
	"muster.dev/sdk/go/internal/uuid"
	pb "muster.dev/sdk/go/musterpb"
)

// opener opens a session, however long it takes, unless the server says that it never will.
type opener struct {
	core *Core
	// request is what the worker says of itself; request id and slots are filled in at each call.
	request *pb.OpenSessionRequest
	// opened is told the time of the first sending: the session's lease began at some time after it.
	opened    func(response *pb.OpenSessionResponse, openedAt time.Time)
	failed    func(error)
	retry     *alarm
	requestID string
	// firstSent is when requestID was first sent; zero: it is used up.
	firstSent time.Time
	failures  int
	cancelled bool
}

// open asks for a new session after the delay.
func (o *opener) open(delay time.Duration) {
	o.firstSent = time.Time{}
	o.failures = 0
	if delay > 0 {
		o.retry.by(time.Now().Add(delay))
	} else {
		o.call()
	}
}

func (o *opener) cancel() {
	o.cancelled = true
	o.retry.cancel()
}

func (o *opener) call() {
	now := time.Now()
	// A repeat under the same id finds the session that a lost answer told of; but its lease is running since then.
	if o.firstSent.IsZero() || now.Sub(o.firstSent) > openRequestLife {
		o.firstSent = now
		o.requestID = uuid.New()
	}
	openedAt := o.firstSent
	request := proto.CloneOf(o.request)
	request.RequestId = o.requestID
	call := func(ctx context.Context) (*pb.OpenSessionResponse, error) {
		return o.core.ports.API.OpenSession(ctx, request)
	}
	answer(o.core, openTimeout, call, func(response *pb.OpenSessionResponse, err error) {
		switch {
		case o.cancelled:
		case err == nil:
			o.opened(response, openedAt)
		default:
			o.refused(err)
		}
	})
}

func (o *opener) refused(err error) {
	failure := rpcerror.Of(err)
	// The session that an earlier answer told of, and which we never heard, has lapsed meanwhile: ask for another one.
	if failure.IsLeaseLost() {
		o.firstSent = time.Time{}
	} else if failure.IsFatal() {
		o.failed(err)
		return
	}
	o.failures++
	wait := backoff(o.failures, failure, maxBackoff)
	o.core.ports.Logger.Warn("the session could not be opened yet", "wait", wait, "error", failure.Message)
	o.retry.by(time.Now().Add(wait))
}
