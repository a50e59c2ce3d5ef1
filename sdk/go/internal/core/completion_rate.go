package core

import "time"

const (
	rateBuckets = 10
	rateBucket  = prefetchWindow / rateBuckets
)

// completionRate counts the handlers that ended in the last 200 ms: the prefetch depth.
type completionRate struct {
	zero   time.Time
	counts [rateBuckets]int
	total  int
	// newest is the number of the newest bucket, counted from zero.
	newest int64
}

func newCompletionRate(now time.Time) *completionRate { return &completionRate{zero: now} }

func (r *completionRate) add(now time.Time, count int) {
	r.advance(now)
	r.counts[r.newest%rateBuckets] += count
	r.total += count
}

func (r *completionRate) recent(now time.Time) int {
	r.advance(now)
	return r.total
}

func (r *completionRate) advance(now time.Time) {
	bucket := int64(now.Sub(r.zero) / rateBucket)
	for b := max(r.newest+1, bucket-rateBuckets+1); b <= bucket; b++ {
		r.total -= r.counts[b%rateBuckets]
		r.counts[b%rateBuckets] = 0
	}
	r.newest = max(r.newest, bucket)
}
