package core

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

func TestSessionCancelsARunningHandler(t *testing.T) {
	for name, test := range map[string]struct {
		returns Outcome
		want    func(*workerpb.AttemptReport) bool
	}{
		"it fails":   {Failure(&pb.Failure{Type: "x"}), func(r *workerpb.AttemptReport) bool { return r.GetCancelled() != nil }},
		"it returns": {done("won"), func(r *workerpb.AttemptReport) bool { return r.GetResult() != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				w.assign(assignment(1, w.credit()))
				w.cancel(1)
				w.cancel(1)
				if stops := w.stops(1); len(stops) != 1 || stops[0] != Cancelled {
					t.Fatalf("the handler was stopped with %v", stops)
				}
				w.finish(1, test.returns)
				if report := w.report(1); !test.want(report) {
					t.Fatalf("reported %v", report)
				}
			})
		})
	}
}

func TestSessionSuspendsARunningHandler(t *testing.T) {
	for name, test := range map[string]struct {
		returns Outcome
		want    func(*workerpb.AttemptReport) bool
	}{
		"it fails":   {Failure(&pb.Failure{Type: "x"}), func(r *workerpb.AttemptReport) bool { return r.GetSuspended() != nil }},
		"it returns": {done("won"), func(r *workerpb.AttemptReport) bool { return r.GetResult() != nil }},
		"it waits for a child": {Suspension([][]byte{jobID(9)}), func(r *workerpb.AttemptReport) bool {
			return len(r.GetSuspended().GetChildJobIds()) == 1
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				w.assign(assignment(1, w.credit()))
				w.suspend(1)
				w.suspend(1)
				if stops := w.stops(1); len(stops) != 1 || stops[0] != Suspended {
					t.Fatalf("the handler was stopped with %v", stops)
				}
				w.finish(1, test.returns)
				if report := w.report(1); !test.want(report) {
					t.Fatalf("reported %v", report)
				}
			})
		})
	}
}

func TestSessionDropsARequestToSuspendThatOvertakesItsAssignment(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.suspend(1)
		w.assign(assignment(1, w.credit()))
		if stops := w.stops(1); len(stops) != 0 {
			t.Fatalf("the handler was stopped with %v", stops)
		}
		w.suspend(1)
		if stops := w.stops(1); len(stops) != 1 {
			t.Fatalf("the handler was stopped with %v", stops)
		}
	})
}

func TestSessionRunTimeout(t *testing.T) {
	timed := func(w *world) *workerpb.Assignment {
		made := assignment(1, w.credit())
		made.RunTimeout = durationpb.New(2 * time.Second)
		return made
	}
	t.Run("a handler that does not return", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.assign(timed(w))
			w.pass(2*time.Second + time.Millisecond)
			if stops := w.stops(1); len(stops) != 1 || stops[0] != RunTimeout {
				t.Fatalf("the handler was stopped with %v", stops)
			}
			w.pass(runTimeoutGrace)
			failure := w.report(1).GetFailure()
			if failure.GetType() != "RunTimeout" || failure.FailureCause != pb.FailureCause_FAILURE_CAUSE_TIMEOUT || failure.NonRetryable {
				t.Fatalf("reported %v", failure)
			}
			if free := w.freeSlots(); free != 0 {
				t.Fatal("the slot of a handler that has not returned is free")
			}
			w.finish(1, done("too late"))
			w.report(1)
		})
	})
	t.Run("one that returns after it was stopped", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.assign(timed(w))
			w.pass(3 * time.Second)
			w.finish(1, done("too late"))
			if w.report(1).GetFailure().GetType() != "RunTimeout" {
				t.Fatal("the result was taken")
			}
		})
	})
	t.Run("one that asks for more", func(t *testing.T) {
		inWorld(t, 1, func(t *testing.T, w *world) {
			w.assign(timed(w))
			w.pass(time.Second)
			w.core.ExtendRunTimeout(w.run(1).execution, 10*time.Second)
			w.pass(progressDelay)
			said := w.lastBeat().request.Progress
			if len(said) != 1 || said[0].RunTimeoutExtension.AsDuration() != 10*time.Second {
				t.Fatalf("the beat says %v", said)
			}
			w.pass(9 * time.Second)
			if stops := w.stops(1); len(stops) != 0 {
				t.Fatalf("the handler was stopped with %v", stops)
			}
			w.pass(time.Second)
			if stops := w.stops(1); len(stops) != 1 {
				t.Fatal("the handler was not stopped")
			}
		})
	})
}

func TestSessionFence(t *testing.T) {
	unavailable := func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
		return nil, status.Error(codes.Unavailable, "away")
	}
	inWorld(t, 3, func(t *testing.T, w *world) {
		going := assignment(2, w.credit())
		going.LeaseLossAction = pb.LeaseLossAction_LEASE_LOSS_ACTION_CONTINUE
		w.assign(assignment(1, w.credit()), going)
		w.answerBeat(unavailable)
		w.pass(15 * time.Second)
		w.wantEvents(Opened, Ready, Fenced)
		if stops := w.stops(1); len(stops) != 1 || stops[0] != LeaseLost {
			t.Fatalf("the handler was stopped with %v", stops)
		}
		if stops := w.stops(2); len(stops) != 0 {
			t.Fatalf("the handler that continues was stopped with %v", stops)
		}
		if w.report(1).GetAborted() == nil {
			t.Fatal("the attempt that was stopped is not reported as aborted")
		}
		w.assign(assignment(3, w.credit()))
		if w.run(3) != nil || len(w.reported(3)) != 0 {
			t.Fatal("an assignment was accepted or released behind the fence")
		}
		w.answerBeat(nil)
		w.pass(2 * time.Second)
		w.wantEvents(Opened, Ready, Fenced, Recovered)
		w.finish(1, done("dropped"))
		w.finish(2, done("kept"))
		w.report(1)
		if w.report(2).GetResult() == nil {
			t.Fatal("the result of the handler that went on was dropped")
		}
		w.assign(assignment(4, w.credit()))
		if w.run(4) == nil {
			t.Fatal("nothing is accepted after the recovery")
		}
	})
}

func TestSessionKeepsWhatItAbortedInTheHeldList(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.assign(assignment(1, w.credit()))
		down := status.Error(codes.Unavailable, "away")
		w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) { return nil, down })
		w.answerReport(func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) { return nil, down })
		w.pass(30 * time.Second)
		if held := w.lastBeat().request.HeldAttempts; len(held) != 1 || !held[0].Started {
			t.Fatalf("the beat lists %v", held)
		}
		w.answerBeat(nil)
		w.answerReport(nil)
		w.pass(10 * time.Second)
		if held := w.lastBeat().request.HeldAttempts; len(held) != 0 {
			t.Fatalf("the beat lists %v", held)
		}
	})
}

func TestEnterFindsAFenceThatFellMeanwhile(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.core.do(func() {
			s := w.core.session
			s.fence.at = time.Now().Add(time.Second)
			s.take(&workerpb.SessionMessage{Assignments: []*workerpb.Assignment{assignment(1, s.credits.lastID)}})
			// The goroutine of the handler waits for the lock: it is entered after the fence has passed, before the
			// alarm rings.
			s.fence.at = time.Now()
		})
		w.pass(0)
		if w.run(1) != nil || w.refusedRun != 1 {
			t.Fatal("the handler was entered behind the fence")
		}
		if reason := w.report(1).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED {
			t.Fatalf("released with %v", reason)
		}
	})
}

func TestSessionLost(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.pass(2 * time.Second)
		w.assign(assignment(1, w.credit()))
		w.answerOnceBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
			return nil, failedPrecondition("LEASE_LOST")
		})
		w.pass(6 * time.Second)
		if stops := w.stops(1); len(stops) != 1 || stops[0] != LeaseLost {
			t.Fatalf("the handler was stopped with %v", stops)
		}
		w.wantEvents(Opened, Ready, Lost, Opened, Ready)
		if slots := w.lastGranted().Slots; slots != 1 {
			t.Fatalf("the new session offers %d slots while a handler of the old one runs", slots)
		}
		if w.calls().opens[0].RequestId == w.calls().opens[1].RequestId {
			t.Fatal("the new session was asked for under the old request id")
		}
		w.finish(1, done("dropped"))
		w.pass(time.Second)
		if reports := w.reported(1); len(reports) != 0 {
			t.Fatalf("reported %v", reports)
		}
		if stats := w.core.Stats(); stats.Sessions != 2 || stats.SessionsLost != 1 {
			t.Fatalf("%+v", stats)
		}
	})
}

func TestSessionDrains(t *testing.T) {
	for name, ask := range map[string]func(w *world){
		"when it is asked to": func(w *world) { w.core.Drain() },
		"when the server asks": func(w *world) {
			w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
				return &workerpb.SendHeartbeatResponse{Drain: true}, nil
			})
			w.pass(5 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				credit := w.credit()
				w.assign(assignment(1, credit))
				ask(w)
				w.assign(assignment(2, credit))
				if reason := w.report(2).GetReleased().GetReason(); reason != workerpb.ReleaseReason_RELEASE_REASON_DRAIN {
					t.Fatalf("released with %v", reason)
				}
				w.pass(minBeatGap)
				if !w.lastBeat().request.Draining || w.calls().closes != 0 {
					t.Fatal("it does not say that it drains, or has closed its session too soon")
				}
				w.finish(1, done("x"))
				w.pass(time.Second)
				if w.report(1).GetResult() == nil || w.calls().closes != 1 {
					t.Fatal("the last result was not reported, or the session not closed")
				}
				w.wantEvents(Opened, Ready, Draining, Closed)
			})
		})
	}
}
