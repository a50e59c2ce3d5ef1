package core

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestApplierFinishesBeforeTheSessionIsOpened(t *testing.T) {
	inColdWorld(t, 1, func(t *testing.T, w *world) {
		applied := ""
		apply := func(name string, refusals ...error) Definition {
			return Definition{Name: name, Apply: func(ctx context.Context) error {
				if err := wait(ctx, time.Millisecond); err != nil {
					return err
				}
				applied += name
				if len(w.calls().opens) > 0 {
					t.Error("the session was opened before")
				}
				if len(refusals) == 0 {
					return nil
				}
				refusal := refusals[0]
				refusals = refusals[1:]
				return refusal
			}}
		}
		away := status.Error(codes.Unavailable, "away")
		w.core.applier.left = []Definition{
			apply("a", away, away, status.Error(codes.DeadlineExceeded, "late")),
			apply("b", overloaded(time.Minute)),
			apply("c"),
		}
		w.core.Start()
		w.pass(50 * time.Second)
		if applied != "aaaab" {
			t.Fatalf("it called %s", applied)
		}
		w.pass(20 * time.Second)
		if applied != "aaaabbc" {
			t.Fatalf("it called %s", applied)
		}
		w.wantEvents(Opened, Ready)
	})
}

func TestApplierGivesUpACallThatIsNotAnswered(t *testing.T) {
	inColdWorld(t, 1, func(t *testing.T, w *world) {
		calls := 0
		w.core.applier.left = []Definition{{Apply: func(ctx context.Context) error {
			calls++
			return wait(ctx, time.Hour)
		}}}
		w.core.Start()
		w.pass(time.Minute)
		if calls < 5 || calls > 6 {
			t.Fatalf("%d calls in a minute", calls)
		}
		w.core.Drain()
		w.pass(time.Minute)
		if calls > 6 {
			t.Fatalf("%d calls", calls)
		}
		w.wantEvents(Draining, Closed)
	})
}

func TestApplierEndsTheWorkerWithARefusal(t *testing.T) {
	for name, refusal := range map[string]error{
		"a bad field":  status.Error(codes.InvalidArgument, "bad"),
		"no namespace": status.Error(codes.NotFound, "no such namespace"),
		"a full store": status.Error(codes.ResourceExhausted, "full"),
		"no status":    errors.New("no"),
	} {
		t.Run(name, func(t *testing.T) {
			inColdWorld(t, 1, func(t *testing.T, w *world) {
				w.core.applier.left = []Definition{{Apply: func(context.Context) error { return refusal }}}
				w.core.Start()
				w.pass(time.Minute)
				w.wantEvents(Failed)
				if len(w.calls().opens) > 0 {
					t.Error("it opened a session")
				}
			})
		})
	}
}
