package core

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// beatJitter is the share of the interval by which a heartbeat may come early, so that workers that started together
// spread out.
const beatJitter = 0.1

// beat is a heartbeat to be sent, with callbacks for its result.
type beat struct {
	request  *workerpb.SendHeartbeatRequest
	answered func(*workerpb.SendHeartbeatResponse)
	failed   func(rpcerror.Facts)
}

// beats schedules heartbeats. A slow answer never delays the next heartbeat.
type beats struct {
	core     *Core
	interval time.Duration
	compose  func(sentAt time.Time) beat
	alarm    *alarm
	lastSent time.Time
	// roundTrip is the time until the last heartbeat was answered, or progressDelay if it failed.
	roundTrip time.Duration
	// regularAt is the time of the next regular heartbeat. It keeps the lease, so no backoff delays it.
	regularAt time.Time
	// failures counts failures since the last answer.
	failures int
	// notBefore is the end of the backoff after a failed heartbeat. Only a change of the bus connection triggers an
	// earlier one.
	notBefore time.Time
	inFlight  int
	closed    bool
}

func newBeats(core *Core, interval time.Duration, compose func(sentAt time.Time) beat) *beats {
	b := &beats{core: core, interval: interval, compose: compose}
	b.alarm = newAlarm(core.do, b.now)
	return b
}

// now sends a heartbeat at once. With too many unanswered, it retries after a short time, without waiting for the
// answers.
func (b *beats) now() {
	if b.closed {
		return
	}
	sentAt := time.Now()
	if b.inFlight >= maxBeatsInFlight {
		b.alarm.by(sentAt.Add(minBeatGap))
		return
	}
	b.lastSent = sentAt
	b.regularAt = sentAt.Add(time.Duration(float64(b.interval) * (1 - beatJitter*rand.Float64())))
	b.alarm.set(b.regularAt)
	b.inFlight++
	sent := b.compose(sentAt)
	call := func(ctx context.Context) (*workerpb.SendHeartbeatResponse, error) {
		return b.core.ports.API.SendHeartbeat(ctx, sent.request)
	}
	answer(b.core, b.interval, call, func(response *workerpb.SendHeartbeatResponse, err error) { b.settle(sent, sentAt, response, err) })
}

// within schedules a heartbeat within the given time, but keeps the minimum gap to the last one and the backoff after a
// failure.
func (b *beats) within(wait time.Duration) {
	if b.closed {
		return
	}
	b.alarm.by(latest(time.Now().Add(wait), b.lastSent.Add(minBeatGap), b.notBefore))
}

func (b *beats) close() {
	b.closed = true
	b.alarm.cancel()
}

func (b *beats) settle(sent beat, sentAt time.Time, response *workerpb.SendHeartbeatResponse, err error) {
	b.inFlight--
	if b.closed {
		return
	}
	if err != nil {
		failure := rpcerror.Of(err)
		b.roundTrip = progressDelay
		b.putOff(failure)
		sent.failed(failure)
		return
	}
	b.roundTrip = time.Since(sentAt)
	b.failures = 0
	b.notBefore = time.Time{}
	if response.NextBeat != nil {
		b.within(response.NextBeat.AsDuration())
	}
	sent.answered(response)
}

// putOff delays heartbeats after a failure, requested ones included.
func (b *beats) putOff(failure rpcerror.Facts) {
	b.failures++
	wait := min(b.interval, backoff(b.failures, failure, beatRetry))
	b.notBefore = latest(b.notBefore, time.Now().Add(wait), b.lastSent.Add(minBeatGap))
	b.alarm.set(b.regularAt)
	b.alarm.by(b.notBefore)
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
