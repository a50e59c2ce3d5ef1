package core

import (
	"math/rand/v2"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
)

// backoff returns the time until the next try: the delay that the server requests, plus a random wait between half of a
// limit and the whole. The limit doubles with each failure up to longest. failures counts consecutive failures, this
// one included.
func backoff(failures int, failure rpcerror.Facts, longest time.Duration) time.Duration {
	wait := min(longest, minBackoff<<min(failures-1, 10))
	return failure.RetryDelay + wait/2 + rand.N(wait/2)
}
