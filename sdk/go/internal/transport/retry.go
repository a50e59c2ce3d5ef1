package transport

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
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
	// Shared means that there are several replicas: one that does not answer costs a share of the time.
	Shared bool
}

const (
	// minTry is the least time that a try gets if the time is shared.
	minTry = time.Second
	// shares is the number of tries that share the time.
	shares = 3
)

// Do calls until it succeeds, fails with a permanent error, or the context ends. The error is that of the last try.
func Do[T any](ctx context.Context, retry Retry, call func(context.Context) (T, error)) (T, error) {
	share := retry.share(ctx)
	for attempt := 1; ; attempt++ {
		answer, overdue, err := try(ctx, share, call)
		if err == nil {
			return answer, nil
		}
		wait, again := retry.Backoff(attempt, err)
		if overdue && (retry.MaxAttempts == 0 || attempt < retry.MaxAttempts) {
			wait, again = 0, true
		}
		if deadline, ok := ctx.Deadline(); !again || ok && time.Until(deadline) <= wait {
			return answer, err
		}
		if !Pause(ctx, wait) {
			return answer, err
		}
	}
}

// share returns the time of a try before another one is made; 0 means all that is left.
func (r Retry) share(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !r.Shared || !ok {
		return 0
	}
	return max(minTry, time.Until(deadline)/shares)
}

// try makes a call that has its share of the time, or all that is left if another try would get too little. It reports
// whether the call was not answered in its share.
func try[T any](ctx context.Context, share time.Duration, call func(context.Context) (T, error)) (T, bool, error) {
	if deadline, ok := ctx.Deadline(); share == 0 || !ok || time.Until(deadline) < share+minTry {
		answer, err := call(ctx)
		return answer, false, err
	}
	limited, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	answer, err := call(limited)
	return answer, err != nil && limited.Err() != nil && ctx.Err() == nil, err
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
