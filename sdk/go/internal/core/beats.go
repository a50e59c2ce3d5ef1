package core

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"muster.dev/sdk/go/internal/rpcerror"
	pb "muster.dev/sdk/go/musterpb"
)

// beatJitter is the share of the interval by which a beat may come early, so that workers that started together drift
// apart.
const beatJitter = 0.1

// beat is a heartbeat to be sent, and what is to be done about its end.
type beat struct {
	request  *pb.HeartbeatRequest
	answered func(*pb.HeartbeatResponse)
	failed   func(rpcerror.Facts)
}

// beats says when heartbeats are sent. One that is slow to be answered never holds up the next.
type beats struct {
	core     *Core
	interval time.Duration
	compose  func(sentAt time.Time) beat
	alarm    *alarm
	lastSent time.Time
	// roundTrip is how long the last one took to be answered, or progressDelay if it failed.
	roundTrip time.Duration
	// regularAt is the interval's own next beat: it keeps the lease, so no wait puts it off.
	regularAt time.Time
	// failures counts those since the last answer.
	failures int
	// notBefore: after a failed beat nothing but news of the bus brings the next one sooner.
	notBefore time.Time
	inFlight  int
	closed    bool
}

func newBeats(core *Core, interval time.Duration, compose func(sentAt time.Time) beat) *beats {
	b := &beats{core: core, interval: interval, compose: compose}
	b.alarm = newAlarm(core.do, b.now)
	return b
}

// now beats at once. With too many beats unanswered it waits a moment, but not for them.
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
	call := func(ctx context.Context) (*pb.HeartbeatResponse, error) {
		return b.core.ports.API.Heartbeat(ctx, sent.request)
	}
	answer(b.core, b.interval, call, func(response *pb.HeartbeatResponse, err error) { b.settle(sent, sentAt, response, err) })
}

// within beats in this time, but not too soon after the last one, nor after one that failed.
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

func (b *beats) settle(sent beat, sentAt time.Time, response *pb.HeartbeatResponse, err error) {
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

// putOff: a beat has failed. What was asked for before waits, too.
func (b *beats) putOff(failure rpcerror.Facts) {
	b.failures++
	wait := min(b.interval, backoff(b.failures, failure, beatRetry))
	b.notBefore = latest(b.notBefore, time.Now().Add(wait), b.lastSent.Add(minBeatGap))
	b.alarm.set(b.regularAt)
	b.alarm.by(b.notBefore)
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
