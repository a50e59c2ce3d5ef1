package transport

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"

	"muster.dev/sdk/go/internal/rpcerror"
)

// Retry configures the repeats of calls that failed for transient reasons, not because of their content. The call's
// request id keeps a repeat from doing the work twice.
type Retry struct {
	// MaxAttempts is the maximum number of calls, the first one included. 0 means that only the context limits them.
	MaxAttempts int
	// MinBackoff is the upper bound of the first wait. The bound doubles each time; the wait is random between zero and
	// the bound.
	MinBackoff time.Duration
	// MaxBackoff is the upper bound of every wait.
	MaxBackoff time.Duration
}

// Do calls until it succeeds, fails with a permanent error, or the context ends. The error is that of the last try.
func Do[T any](ctx context.Context, retry Retry, call func(context.Context) (T, error)) (T, error) {
	for attempt := 1; ; attempt++ {
		answer, err := call(ctx)
		if err == nil {
			return answer, nil
		}
		wait, again := retry.Backoff(attempt, err)
		if deadline, ok := ctx.Deadline(); !again || ok && time.Until(deadline) <= wait {
			return answer, err
		}
		if !Pause(ctx, wait) {
			return answer, err
		}
	}
}

// Backoff returns the time until the next try; false means that there is none. attempt counts from 1.
func (r Retry) Backoff(attempt int, err error) (time.Duration, bool) {
	if r.MaxAttempts > 0 && attempt >= r.MaxAttempts {
		return 0, false
	}
	failure := rpcerror.Of(err)
	// A refusal by a throttle is not retried: the definition asks for it.
	overloaded := failure.Code == codes.ResourceExhausted && failure.HasRetryDelay && failure.Reason != "THROTTLED"
	if failure.Code != codes.Unavailable && !overloaded {
		return 0, false
	}
	limit := min(r.MaxBackoff, r.MinBackoff<<min(attempt-1, 20))
	return failure.RetryDelay + time.Duration(rand.Float64()*float64(limit)), true
}

// Pause waits. It returns false if the context ended first.
func Pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
