package core

import (
	"context"
	"math/rand/v2"
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
	b.alarm.set(sentAt.Add(time.Duration(float64(b.interval) * (1 - beatJitter*rand.Float64()))))
	b.inFlight++
	sent := b.compose(sentAt)
	call := func(ctx context.Context) (*pb.HeartbeatResponse, error) {
		return b.core.ports.API.Heartbeat(ctx, sent.request)
	}
	answer(b.core, b.interval, call, func(response *pb.HeartbeatResponse, err error) { b.settle(sent, sentAt, response, err) })
}

// within beats in this time, but not too soon after the last one.
func (b *beats) within(wait time.Duration) {
	if b.closed {
		return
	}
	at := time.Now().Add(wait)
	for _, soonest := range []time.Time{b.lastSent.Add(minBeatGap), b.notBefore} {
		if at.Before(soonest) {
			at = soonest
		}
	}
	b.alarm.by(at)
}

// again beats once more after one that failed, in a while; the interval goes on.
func (b *beats) again(wait time.Duration) {
	b.notBefore = time.Now().Add(min(b.interval, wait))
	b.within(0)
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
		b.roundTrip = progressDelay
		sent.failed(rpcerror.Of(err))
		return
	}
	b.roundTrip = time.Since(sentAt)
	b.notBefore = time.Time{}
	if response.NextBeat != nil {
		b.within(response.NextBeat.AsDuration())
	}
	sent.answered(response)
}
