package core

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// failBeats makes all heartbeats fail from now on.
func (w *world) failBeats(failure error) {
	w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) { return nil, failure })
}

func TestBeatsWaitAfterOneThatFailed(t *testing.T) {
	for name, test := range map[string]struct {
		failure     error
		least, most int
	}{
		"away":         {status.Error(codes.Unavailable, "away"), 12, 23},
		"with a delay": {overloaded(3 * time.Second), 3, 4},
		"for too long": {overloaded(time.Hour), 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 5, func(t *testing.T, w *world) {
				w.pass(5 * time.Second)
				w.failBeats(test.failure)
				w.core.SetSlots(4) // requests a heartbeat, and leaves slots free
				before := w.beatCount()
				w.pass(9500 * time.Millisecond)
				if beats := w.beatCount() - before; beats < test.least || beats > test.most {
					t.Fatalf("%d beats in 9.5 s, not %d to %d", beats, test.least, test.most)
				}
			})
		})
	}
}

func TestBeatsWaitLongerAfterEachFailure(t *testing.T) {
	inWorld(t, 5, func(t *testing.T, w *world) {
		w.failBeats(status.Error(codes.Unavailable, "away"))
		before := w.beatCount()
		w.pass(12 * time.Second)
		beats := w.calls().beats[before:]
		for i, most := range []time.Duration{minBackoff, 2 * minBackoff, 4 * minBackoff, 8 * minBackoff, beatRetry} {
			wait := beats[i+1].at.Sub(beats[i].at) - w.beatLatency
			if wait < most/2 || wait > most {
				t.Errorf("%s after %d failures", wait, i+1)
			}
		}
	})
}

func TestAnAnswerStartsTheWaitsAnew(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		away := status.Error(codes.Unavailable, "away")
		w.failBeats(away)
		w.pass(12 * time.Second)
		w.answerBeat(nil)
		w.pass(6 * time.Second)
		w.answerOnceBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) { return nil, away })
		before := w.beatCount()
		w.core.SetSlots(2)
		w.pass(minBeatGap + w.beatLatency + minBackoff)
		if w.beatCount() < before+2 {
			t.Fatal("no beat soon after the first failure")
		}
	})
}

// A heartbeat that was requested before the failure waits, and so do those requested later.
func TestTheDelayThatTheServerAsksForIsKept(t *testing.T) {
	inWorld(t, 5, func(t *testing.T, w *world) {
		w.pass(time.Second)
		w.locked(func() { w.beatLatency = minBeatGap / 2 })
		w.failBeats(overloaded(3 * time.Second))
		w.core.SetSlots(4)
		w.pass(time.Millisecond)
		before := w.beatCount()
		w.core.SetSlots(3)
		w.pass(time.Second)
		w.core.SetSlots(2)
		w.pass(2 * time.Second)
		if w.beatCount() != before {
			t.Fatal("a beat came sooner than the server asked for")
		}
		w.pass(200 * time.Millisecond)
		if w.beatCount() != before+1 {
			t.Fatal("no beat after the delay")
		}
	})
}

func TestAChangeOfTheBusDoesNotWaitForTheDelay(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.pass(time.Second)
		w.locked(func() { w.busDown = true })
		w.failBeats(overloaded(4 * time.Second))
		w.core.SetSlots(2)
		w.pass(100 * time.Millisecond)
		before := w.beatCount()
		w.bus.OnStatus(false)
		w.pass(time.Second)
		if w.beatCount() != before {
			t.Fatal("a beat for a connection that broke")
		}
		w.bus.OnStatus(true)
		w.pass(time.Millisecond)
		if w.beatCount() != before+1 {
			t.Fatal("no beat for a new connection")
		}
	})
}

func TestNoBeatForASlotThatTheNextReportOffers(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		startJobs(w, 3)
		w.answerReport(func(request *workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			time.Sleep(time.Second)
			return accepted(request), nil
		})
		before := w.beatCount()
		for number := byte(1); number <= 3; number++ {
			w.finish(number, done(""))
		}
		w.pass(offerDelay)
		if w.beatCount() != before {
			t.Fatal("a beat for a handler that returned while reports were in flight")
		}
		w.pass(time.Second)
		reports := w.calls().reports
		if len(reports) != 2 || len(reports[1].Credits) != 1 || reports[1].Credits[0].Slots != 2 {
			t.Fatalf("the reports were %v", reports)
		}
	})
}
