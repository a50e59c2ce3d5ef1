package transport

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"

	"muster.dev/sdk/go/internal/rpcerror"
)

// Retry says how calls are repeated that failed because of the world, not because of what they asked. The call's own
// request id keeps a repeat from doing the work twice.
type Retry struct {
	// MaxAttempts counts calls in all, the first included. 0: no bound but the context's.
	MaxAttempts int
	// MinBackoff bounds the first wait; it doubles each time and is drawn evenly from zero.
	MinBackoff time.Duration
	// MaxBackoff caps every wait.
	MaxBackoff time.Duration
}

// Do calls until it succeeds, fails for good, or the context ends. The error is that of the last try.
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

// Backoff is the time until the next try; false: there is to be none. attempt counts from 1.
func (r Retry) Backoff(attempt int, err error) (time.Duration, bool) {
	if r.MaxAttempts > 0 && attempt >= r.MaxAttempts {
		return 0, false
	}
	failure := rpcerror.Of(err)
	// A throttle's refusal is what the definition asks for.
	overloaded := failure.Code == codes.ResourceExhausted && failure.HasRetryDelay && failure.Reason != "THROTTLED"
	if failure.Code != codes.Unavailable && !overloaded {
		return 0, false
	}
	limit := min(r.MaxBackoff, r.MinBackoff<<min(attempt-1, 20))
	return failure.RetryDelay + time.Duration(rand.Float64()*float64(limit)), true
}

// Pause waits; false: the context ended first.
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
