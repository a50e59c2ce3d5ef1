package core

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

func TestOpenerRepeatsUnderOneRequestID(t *testing.T) {
	inColdWorld(t, 1, func(t *testing.T, w *world) {
		failures := 0
		w.answerOpen(func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) {
			if failures++; failures <= 20 {
				return nil, status.Error(codes.Unavailable, "away")
			}
			return opened(1), nil
		})
		w.core.Start()
		w.pass(time.Minute)
		ids := map[string]int{}
		for _, request := range w.calls().opens {
			ids[request.RequestId]++
		}
		if len(w.calls().opens) != 21 || len(ids) < 2 || len(ids) > 12 || w.calls().opens[0].RequestId != w.calls().opens[1].RequestId {
			t.Fatalf("%d calls under the ids %v", len(w.calls().opens), ids)
		}
		w.wantEvents(Opened, Ready)
	})
}

func TestOpenerAsksAnewForASessionThatHasEnded(t *testing.T) {
	inColdWorld(t, 1, func(t *testing.T, w *world) {
		w.answerOnceOpen(func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) {
			return nil, failedPrecondition("LEASE_LOST")
		})
		w.core.Start()
		w.pass(time.Second)
		if len(w.calls().opens) != 2 || w.calls().opens[0].RequestId == w.calls().opens[1].RequestId {
			t.Fatal("it did not take a new request id")
		}
	})
}

func TestOpenerGivesUp(t *testing.T) {
	for name, refusal := range map[string]error{
		"the protocol": failedPrecondition("PROTOCOL_VERSION_UNSUPPORTED"),
		"a bad field":  status.Error(codes.InvalidArgument, "bad"),
		"no Muster":    status.Error(codes.Unimplemented, "unknown service"),
	} {
		t.Run(name, func(t *testing.T) {
			inColdWorld(t, 1, func(t *testing.T, w *world) {
				w.answerOpen(func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) { return nil, refusal })
				w.core.Start()
				w.pass(time.Minute)
				w.wantEvents(Failed)
				if len(w.calls().opens) != 1 {
					t.Fatalf("%d calls", len(w.calls().opens))
				}
			})
		})
	}
}

func TestCoreEndsBeforeItHasASession(t *testing.T) {
	inColdWorld(t, 1, func(t *testing.T, w *world) {
		w.answerOpen(func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) {
			return nil, status.Error(codes.Unavailable, "away")
		})
		w.core.Start()
		w.pass(time.Second)
		w.core.Drain()
		w.wantEvents(Draining, Closed)
	})
}
