package core

import (
	"context"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
)

// Definition is stored before the first session is opened.
type Definition struct {
	// Name is used in log records.
	Name string
	// Apply makes one call. It is repeated while the control plane can't be reached.
	Apply func(context.Context) error
}

// applier stores the worker's definitions, one after the other, and retries without limit while the control plane can't
// be reached.
type applier struct {
	core *Core
	// left are the definitions that are not stored yet.
	left     []Definition
	applied  func()
	failed   func(error)
	retry    *alarm
	failures int
}

func (a *applier) cancel() { a.retry.cancel() }

// call stores the next definition.
func (a *applier) call() {
	if len(a.left) == 0 {
		a.applied()
		return
	}
	next := a.left[0]
	call := func(ctx context.Context) (struct{}, error) { return struct{}{}, next.Apply(ctx) }
	answer(a.core, applyTimeout, call, func(_ struct{}, err error) {
		switch {
		case a.core.closed:
		case err == nil:
			a.left, a.failures = a.left[1:], 0
			a.call()
		default:
			a.refused(next, err)
		}
	})
}

func (a *applier) refused(definition Definition, err error) {
	failure := rpcerror.Of(err)
	if !failure.IsTransient() {
		a.failed(err)
		return
	}
	a.failures++
	wait := backoff(a.failures, failure, maxBackoff)
	a.core.ports.Logger.Warn("the definition could not be applied yet", "definition", definition.Name, "wait", wait, "error", failure.Message)
	a.retry.by(time.Now().Add(wait))
}
