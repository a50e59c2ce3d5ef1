package core

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	"github.com/muster-jobs/muster/sdk/go/internal/uuid"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// opener opens a session and retries without limit, unless the server refuses permanently.
type opener struct {
	core *Core
	// request describes the worker; request id and slots are filled in for each call.
	request *workerpb.OpenSessionRequest
	// opened receives the time of the first call: the session's lease began at some time after it.
	opened    func(response *workerpb.OpenSessionResponse, openedAt time.Time)
	failed    func(error)
	retry     *alarm
	requestID string
	// firstSent is when requestID was first sent; zero if a new request id is needed.
	firstSent time.Time
	failures  int
	cancelled bool
}

// open opens a new session after the delay.
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
	// A repeat with the same request id returns the session of a lost answer, but the lease of that session is already
	// running.
	if o.firstSent.IsZero() || now.Sub(o.firstSent) > openRequestLife {
		o.firstSent = now
		o.requestID = uuid.New()
	}
	openedAt := o.firstSent
	request := proto.CloneOf(o.request)
	request.RequestId = o.requestID
	call := func(ctx context.Context) (*workerpb.OpenSessionResponse, error) {
		return o.core.ports.API.OpenSession(ctx, request)
	}
	answer(o.core, openTimeout, call, func(response *workerpb.OpenSessionResponse, err error) {
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
	// The session of an answer that never arrived has lapsed meanwhile: request a new one.
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
