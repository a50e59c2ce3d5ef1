package core

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

func TestSessionGrantsNothingBeforeThePing(t *testing.T) {
	inColdWorld(t, 4, func(t *testing.T, w *world) {
		w.locked(func() { w.busDown = true })
		w.core.Start()
		w.pass(12 * time.Second)
		if credits := w.allGranted(); len(credits) != 0 {
			t.Fatalf("granted %v before a ping had arrived", credits)
		}
		w.wantEvents(Opened)
		w.locked(func() { w.busDown = false })
		w.pass(6 * time.Second)
		credits := w.allGranted()
		if len(credits) == 0 || credits[0].Slots != 4 {
			t.Fatalf("granted %v after the first ping, not 4 slots", credits)
		}
		if beat := w.lastBeat().request; beat.PingEcho == 0 {
			t.Fatal("the beat echoes no ping")
		}
		w.wantEvents(Opened, Ready)
	})
}

func TestSessionBeatsEachInterval(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		before := w.beatCount()
		w.pass(50 * time.Second)
		if beats := w.beatCount() - before; beats < 10 || beats > 12 {
			t.Fatalf("%d beats in 10 intervals", beats)
		}
	})
}

func TestSessionDoesNotWaitForAnswers(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.locked(func() { w.beatLatency = 4900 * time.Millisecond })
		before := w.beatCount()
		for range 10 {
			w.core.SetSlots(1) // each call requests a heartbeat
			w.pass(minBeatGap)
		}
		if beats := w.beatCount() - before; beats != maxBeatsInFlight {
			t.Fatalf("%d beats were under way, not %d", beats, maxBeatsInFlight)
		}
	})
}

func TestSessionRunsAnAttempt(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.assign(assignment(1, w.credit()))
		w.pass(6 * time.Second)
		held := w.lastBeat().request.HeldAttempts
		if len(held) != 1 || !held[0].Started || held[0].Attempt != 1 {
			t.Fatalf("the beat lists %v, not the attempt that runs", held)
		}
		w.finish(1, done("x"))
		report := w.report(1)
		if string(report.GetResult().GetData()) != "x" {
			t.Fatalf("reported %v", report)
		}
		if credits := w.calls().reports[0].Credits; len(credits) != 1 || credits[0].Slots < 1 {
			t.Errorf("the report offers %v, not the slot that it frees", credits)
		}
		w.pass(6 * time.Second)
		if held := w.lastBeat().request.HeldAttempts; len(held) != 0 {
			t.Fatalf("%v is held after its report was accepted", held)
		}
	})
}

func TestSessionLooksAtAssignmentsInOrder(t *testing.T) {
	wants := func(t *testing.T, w *world, number byte, want workerpb.ReleaseReason) {
		t.Helper()
		if released := w.report(number).GetReleased(); released.GetReason() != want {
			t.Fatalf("released with %v, not %v", released, want)
		}
	}
	t.Run("a duplicate is ignored", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			credit := w.credit()
			w.assign(assignment(1, credit), assignment(1, credit))
			w.assign(assignment(1, credit))
			w.finish(1, done(""))
			w.pass(time.Second)
			w.assign(assignment(1, credit))
			w.report(1)
			if stats := w.core.Stats(); stats.Accepted != 1 || stats.Duplicates != 3 {
				t.Fatalf("%+v", stats)
			}
		})
	})
	t.Run("a cancel that came first", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.cancel(1)
			w.assign(assignment(1, w.credit()))
			wants(t, w, 1, workerpb.ReleaseReason_RELEASE_REASON_CANCELLED)
		})
	})
	t.Run("a cancel is forgotten", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.cancel(1)
			w.pass(cancelMemory)
			w.assign(assignment(1, w.credit()))
			if w.run(1) == nil {
				t.Fatal("the attempt does not run")
			}
		})
	})
	t.Run("a credit that never was", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.assign(assignment(1, 999))
			wants(t, w, 1, workerpb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT)
		})
	})
	t.Run("a handler that is not there", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			other, newer := assignment(1, w.credit()), assignment(2, w.credit())
			other.Handler, newer.DefinitionVersion = "other", 6
			w.assign(other, newer)
			wants(t, w, 1, workerpb.ReleaseReason_RELEASE_REASON_UNSUPPORTED)
			wants(t, w, 2, workerpb.ReleaseReason_RELEASE_REASON_UNSUPPORTED)
		})
	})
	t.Run("no slot", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			credit := w.credit()
			w.assign(assignment(1, credit))
			w.core.SetSlots(1) // 1 is a valid number of slots
			w.core.do(func() { w.core.session.credits.byID[credit].slots = 1 })
			w.assign(assignment(2, credit))
			wants(t, w, 2, workerpb.ReleaseReason_RELEASE_REASON_NO_SLOT)
		})
	})
}

func TestSessionPrefetch(t *testing.T) {
	prefetched := func(w *world, number byte) *workerpb.Assignment {
		made := assignment(number, w.credit())
		made.Prefetch = true
		return made
	}
	// ready makes a worker with one slot whose handler has just ended, so that it offers a prefetch permit.
	ready := func(w *world) {
		w.assign(assignment(1, w.credit()))
		w.finish(1, done(""))
		w.pass(10 * time.Millisecond)
	}
	t.Run("waits for a slot", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			ready(w)
			w.assign(prefetched(w, 3), assignment(2, w.credit()))
			if w.run(2) == nil || w.run(3) != nil {
				t.Fatal("the prefetched attempt took the slot of the other one")
			}
			w.finish(2, done(""))
			if w.run(3) == nil {
				t.Fatal("the prefetched attempt does not run")
			}
		})
	})
	t.Run("not for long", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			ready(w)
			w.assign(prefetched(w, 3), assignment(2, w.credit()))
			w.pass(prefetchWait)
			if reason := w.report(3).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED {
				t.Fatalf("released with %v", reason)
			}
		})
	})
}

func TestSessionResentGrants(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.answerOnceBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
			return &workerpb.SendHeartbeatResponse{
				Assignments: []*workerpb.Assignment{assignment(1, 999), assignment(2, w.credit())},
				Cancels:     []*workerpb.CancelNotice{{JobId: jobID(2), Attempt: 1}},
			}, nil
		})
		w.pass(5 * time.Second)
		if reason := w.report(1).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT {
			t.Fatalf("released with %v", reason)
		}
		if reason := w.report(2).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_CANCELLED {
			t.Fatalf("released with %v", reason)
		}
	})
}

func TestSessionBus(t *testing.T) {
	t.Run("connects anew when it is asked to", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.answerOnceBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
				return &workerpb.SendHeartbeatResponse{ReconnectBus: true, NatsCredentials: &workerpb.NatsCredentials{Jwt: "new"}}, nil
			})
			w.pass(5 * time.Second)
			if w.reconnectCount() != 1 || w.bus.Credentials().GetJwt() != "new" {
				t.Fatal("it did not connect anew, or has old credentials")
			}
		})
	})
	t.Run("gives each connection its time to deliver a ping", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.locked(func() { w.busDown = true })
			w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
				return &workerpb.SendHeartbeatResponse{ReconnectBus: true}, nil
			})
			w.bus.OnStatus(false)
			w.pass(11 * time.Second)
			if w.reconnectCount() != 0 {
				t.Fatal("it gave up a connection that is being made")
			}
			w.bus.OnStatus(true) // triggers a heartbeat
			w.pass(hearingTime - time.Millisecond)
			if w.reconnectCount() != 0 {
				t.Fatal("it gave up a connection that is new")
			}
			w.pass(6 * time.Second)
			if w.reconnectCount() == 0 {
				t.Fatal("it keeps a connection over which nothing arrives")
			}
		})
	})
	t.Run("ends the attempts at a former address", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.locked(func() { w.busDown = true })
			w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
				return &workerpb.SendHeartbeatResponse{ReconnectBus: true, NatsUrls: []string{"nats://moved"}}, nil
			})
			w.bus.OnStatus(false)
			w.pass(11 * time.Second)
			if w.reconnectCount() != 1 || !slices.Equal(w.bus.URLs(), []string{"nats://moved"}) {
				t.Fatalf("it made %d new attempts, and goes to %v", w.reconnectCount(), w.bus.URLs())
			}
		})
	})
	t.Run("voids its credits when the connection breaks", func(t *testing.T) {
		inWorld(t, 3, func(t *testing.T, w *world) {
			old := w.credit()
			w.locked(func() { w.busDown = true })
			w.bus.OnStatus(false)
			w.pass(reconnectSpread + minBeatGap)
			if voided := w.lastBeat().request.VoidedCreditIds; len(voided) != 1 || voided[0] != old {
				t.Fatalf("voided %v, not %d", voided, old)
			}
			w.assign(assignment(1, old))
			if reason := w.report(1).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT {
				t.Fatalf("released with %v", reason)
			}
		})
	})
	t.Run("voids what a ping brought over a connection that never came into force", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.locked(func() { w.busDown = true })
			w.bus.OnStatus(false)
			w.pass(reconnectSpread + minBeatGap)
			w.send(&workerpb.SessionMessage{Ping: 1_000})
			credit := w.credit()
			w.bus.OnStatus(false)
			w.pass(reconnectSpread + minBeatGap)
			if voided := w.lastBeat().request.VoidedCreditIds; len(voided) != 1 || voided[0] != credit {
				t.Fatalf("voided %v, not %d", voided, credit)
			}
		})
	})
	t.Run("keeps its credits when a ping comes before the word that it is connected", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			credit := w.credit()
			w.bus.OnStatus(true)
			w.pass(time.Second)
			w.assign(assignment(1, credit))
			if w.run(1) == nil {
				t.Fatal("the credit was voided")
			}
		})
	})
	t.Run("grants without a ping while answers carry assignments", func(t *testing.T) {
		inColdWorld(t, 2, func(t *testing.T, w *world) {
			w.locked(func() { w.busDown = true })
			w.answerBeat(func(request *workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
				response := &workerpb.SendHeartbeatResponse{NextBeat: durationpb.New(500 * time.Millisecond)}
				for _, credit := range request.Credits {
					response.Assignments = append(response.Assignments, assignment(byte(credit.CreditId), credit.CreditId))
				}
				return response, nil
			})
			w.core.Start()
			w.pass(2 * time.Second)
			if w.run(1) == nil {
				t.Fatal("nothing runs while the bus is down")
			}
			if beats := w.beatCount(); beats < 4 {
				t.Fatalf("%d beats in 2 s", beats)
			}
		})
	})
}

func TestSessionReplacesAgingCredits(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		first := w.credit()
		w.pass(12 * time.Second)
		if w.credit() == first {
			t.Fatal("the credit was not replaced")
		}
		var voided []uint64
		for _, beat := range w.calls().beats {
			voided = append(voided, beat.request.VoidedCreditIds...)
		}
		if len(voided) == 0 || voided[len(voided)-1] != first {
			t.Fatalf("voided %v, not %d", voided, first)
		}
	})
}
