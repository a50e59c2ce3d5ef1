package core

import (
	"math/rand/v2"
	"time"

	"muster.dev/sdk/go/internal/rpcerror"
)

// backoff is the time until the next try: at least what the server asked for, plus a random share of a cap that doubles.
// failures counts those in a row, this one included; longest is the largest cap.
func backoff(failures int, failure rpcerror.Facts, longest time.Duration) time.Duration {
	wait := min(longest, minBackoff<<min(failures-1, 10))
	return failure.RetryDelay + wait/2 + rand.N(wait/2)
}
