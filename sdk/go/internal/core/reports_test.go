package core

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// startJobs starts the jobs 1 to count.
func startJobs(w *world, count byte) {
	var assignments []*workerpb.Assignment
	for number := byte(1); number <= count; number++ {
		assignments = append(assignments, assignment(number, w.credit()))
	}
	w.assign(assignments...)
}

func TestReportsAreSentAgainAsTheyWere(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		startJobs(w, 1)
		failures := 0
		w.answerReport(func(request *workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			if failures++; failures <= 5 {
				return nil, status.Error(codes.Unavailable, "away")
			}
			return accepted(request), nil
		})
		w.finish(1, done("x"))
		w.pass(10 * time.Second)
		reports := w.reported(1)
		if len(reports) != 6 {
			t.Fatalf("%d reports, not 6", len(reports))
		}
		for _, report := range reports {
			if !proto.Equal(report, reports[0]) {
				t.Fatalf("%v is not %v", report, reports[0])
			}
		}
		if stats := w.core.Stats(); stats.Acknowledged != 1 {
			t.Fatalf("%+v", stats)
		}
	})
}

func TestReportsOfAFailedCallVoidItsCredits(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.answerOnceReport(func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			return nil, status.Error(codes.Unavailable, "away")
		})
		w.finish(1, done("x"))
		w.pass(time.Second)
		if len(w.calls().reports) != 2 || len(w.calls().reports[0].Credits) != 1 {
			t.Fatalf("reported %v", w.calls().reports)
		}
		first := w.calls().reports[0].Credits[0].CreditId
		if voided := w.calls().reports[1].VoidedCreditIds; len(voided) != 1 || voided[0] != first {
			t.Fatalf("voided %v, not %d", voided, first)
		}
	})
}

func TestReportsPileUpWhileACallIsUnderWay(t *testing.T) {
	inWorld(t, 50, func(t *testing.T, w *world) {
		startJobs(w, 50)
		for number := byte(1); number <= 50; number++ {
			w.finish(number, done("x"))
		}
		w.pass(time.Second)
		if calls := len(w.calls().reports); calls != 2 {
			t.Fatalf("%d calls for 50 reports, not 2", calls)
		}
	})
}

func TestReportsThatAreRefusedAreIsolated(t *testing.T) {
	inWorld(t, 20, func(t *testing.T, w *world) {
		startJobs(w, 20)
		w.answerReport(func(request *workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			for _, report := range request.Reports {
				if string(report.GetResult().GetData()) == "bad" {
					return nil, status.Error(codes.InvalidArgument, "no")
				}
			}
			return accepted(request), nil
		})
		for number := byte(1); number <= 20; number++ {
			outcome := done("good")
			if number == 13 {
				outcome = done("bad")
			}
			w.finish(number, outcome)
		}
		w.pass(10 * time.Second)
		if stats := w.core.Stats(); stats.Acknowledged != 20 {
			t.Fatalf("%+v", stats)
		}
		reports := w.reported(13)
		if failure := reports[len(reports)-1].GetFailure(); failure.GetType() != refused || !failure.NonRetryable {
			t.Fatalf("reported %v", failure)
		}
	})
}

func TestReportsWithoutAResultInTheAnswerAreSentAgain(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.answerOnceReport(func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			return &workerpb.ReportAttemptsResponse{}, nil
		})
		w.finish(1, done("x"))
		w.pass(time.Second)
		if reports := w.reported(1); len(reports) != 2 {
			t.Fatalf("%d reports, not 2", len(reports))
		}
	})
}

func TestAResultThatIsTooLargeIsANonRetryableFailure(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.finish(1, Result(&pb.Payload{Data: make([]byte, 1_001)}))
		if failure := w.report(1).GetFailure(); failure.GetType() != "ResultTooLarge" || !failure.NonRetryable {
			t.Fatalf("reported %v", failure)
		}
	})
}

func TestALostReportEndsNothingElse(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		startJobs(w, 2)
		w.answerReport(func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			return &workerpb.ReportAttemptsResponse{Results: []workerpb.ReportResult{workerpb.ReportResult_REPORT_RESULT_LEASE_LOST}}, nil
		})
		w.finish(1, done("x"))
		w.pass(time.Second)
		if w.run(2) == nil || len(w.stops(2)) != 0 {
			t.Fatal("the other handler was stopped")
		}
		w.wantEvents(Opened, Ready)
	})
}

func TestAFailureWaitsForItsCheckpoint(t *testing.T) {
	for name, outcome := range map[string]Outcome{
		"failure":   Failure(&pb.Failure{Type: "x"}),
		"suspended": Suspension([][]byte{jobID(9)}),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 1, func(t *testing.T, w *world) {
				startJobs(w, 1)
				w.core.Checkpoint(w.run(1).execution, &pb.Payload{Data: []byte("half")})
				w.finish(1, outcome)
				if len(w.reported(1)) != 0 {
					t.Fatal("it was reported before its checkpoint")
				}
				w.pass(minBeatGap + 10*time.Millisecond)
				w.report(1)
				said := w.lastBeat().request.Progress
				if len(said) != 1 || string(said[0].Checkpoint.GetData()) != "half" {
					t.Fatalf("the beat says %v", said)
				}
			})
		})
	}
}

func TestAFailureDoesNotWaitForEver(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.answerBeat(func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
			return nil, status.Error(codes.Unavailable, "away")
		})
		before, tries := w.beatCount(), 0
		w.answerReport(func(request *workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
			tries = w.beatCount() - before
			return accepted(request), nil
		})
		w.core.Checkpoint(w.run(1).execution, &pb.Payload{Data: []byte("half")})
		w.finish(1, Failure(&pb.Failure{Type: "x"}))
		w.pass(beatRetry)
		w.report(1)
		if tries != checkpointTries {
			t.Fatalf("it went after %d beats, not %d", tries, checkpointTries)
		}
	})
}

func TestProgressTravelsWithBeats(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		execution := w.run(1).execution
		w.pass(time.Second)
		w.core.Progress(execution, &pb.Progress{Fraction: 0.25})
		w.core.Progress(execution, &pb.Progress{Fraction: 0.5})
		w.pass(progressDelay)
		said := w.lastBeat().request.Progress
		if len(said) != 1 || said[0].Progress.Fraction != 0.5 || said[0].Sequence != 2 {
			t.Fatalf("the beat says %v", said)
		}
		w.pass(6 * time.Second)
		if said := w.lastBeat().request.Progress; len(said) != 0 {
			t.Fatalf("the next beat says %v again", said)
		}
	})
}

func TestWordsThatTheServerRefusesAreNotSaidAgain(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.answerBeat(func(request *workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
			if len(request.Progress) > 0 {
				return nil, status.Error(codes.InvalidArgument, "no")
			}
			return &workerpb.SendHeartbeatResponse{}, nil
		})
		w.core.Progress(w.run(1).execution, &pb.Progress{Fraction: 0.5})
		w.pass(20 * time.Second)
		w.wantEvents(Opened, Ready)
	})
}

func logRecord(sequence int64, size int) *pb.LogRecord {
	return &pb.LogRecord{Sequence: sequence, Message: string(bytes.Repeat([]byte("x"), size))}
}

func TestLogsTravelWithBeatsAndReports(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.pass(time.Second)
		execution := w.run(1).execution
		w.core.Log(execution, logRecord(1, 10))
		w.core.Log(execution, logRecord(2, 10))
		w.pass(2 * logDelay)
		said := w.lastBeat().request.Progress
		if len(said) != 1 || len(said[0].Logs) != 2 || said[0].Sequence != 0 {
			t.Fatalf("the beat says %v", said)
		}
		w.core.Log(execution, logRecord(3, 10))
		w.finish(1, done(""))
		if logs := w.report(1).Logs; len(logs) != 1 || logs[0].Sequence != 3 {
			t.Fatalf("the report says %v", logs)
		}
	})
}

func TestLogsOfALoopCostFewBeats(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		startJobs(w, 1)
		w.pass(time.Second)
		before := w.beatCount()
		for sequence := range int64(1_000) {
			w.core.Log(w.run(1).execution, logRecord(sequence+1, 1_000))
			time.Sleep(time.Millisecond)
		}
		// One per 200 ms of logs, and at most one more at either end: the regular heartbeat may fall into this second.
		if beats := w.beatCount() - before; beats > 7 {
			t.Fatalf("%d beats in a second", beats)
		}
		if size := w.lastBeat().request.Progress[0]; proto.Size(size) > maxLogBytes {
			t.Fatalf("an update of %d bytes", proto.Size(size))
		}
	})
}

func TestLogTailDropsTheOldest(t *testing.T) {
	tail := &logTail{}
	for sequence := range int64(100) {
		tail.add(logRecord(sequence+1, 1_000))
	}
	if tail.bytes > maxLogBytes || tail.lastSequence() != 100 || tail.messages()[0].Sequence == 1 {
		t.Fatalf("%d bytes, from %d to %d", tail.bytes, tail.messages()[0].Sequence, tail.lastSequence())
	}
	tail.confirm(99)
	if messages := tail.messages(); len(messages) != 1 || messages[0].Sequence != 100 {
		t.Fatalf("%v is left", messages)
	}
	tail.confirm(100)
	if tail.bytes != 0 || !tail.empty() {
		t.Fatalf("%d bytes are left", tail.bytes)
	}
}

func TestReportBatchesAreBounded(t *testing.T) {
	batches := &reportBatches{}
	for i := range 2_500 {
		batches.add(&held{attempt: int32(i)}, done("x"))
	}
	if first := batches.take(); len(first) != maxReports || batches.count != 1_500 {
		t.Fatalf("%d of them, %d left", len(first), batches.count)
	}
	large := &reportBatches{}
	for range 5 {
		large.add(&held{}, Result(&pb.Payload{Data: make([]byte, 1024*1024)}))
	}
	large.add(&held{}, Result(&pb.Payload{Data: make([]byte, 5*1024*1024)}))
	var sizes []int
	for large.count > 0 {
		sizes = append(sizes, len(large.take()))
	}
	if fmt.Sprint(sizes) != "[2 2 1 1]" || large.bytes != 0 {
		t.Fatalf("%v, %d bytes left", sizes, large.bytes)
	}
}

func TestUpdatesAreBoundedInABeat(t *testing.T) {
	all := newUpdates()
	for i := range 3 {
		all.checkpoint(&held{attempt: int32(i)}, &pb.Payload{Data: make([]byte, 1024*1024)})
	}
	if first := all.collect(); len(first.messages) != 1 {
		t.Fatalf("%d checkpoints of a MiB in a beat", len(first.messages))
	}
	many := newUpdates()
	for i := range 1_500 {
		many.progress(&held{attempt: int32(i)}, &pb.Progress{})
	}
	first := many.collect()
	many.delivered(first)
	if second := many.collect(); len(first.messages) != maxUpdates || len(second.messages) != 500 || second.messages[0].Attempt != 1_000 {
		t.Fatalf("%d, then %d updates", len(first.messages), len(second.messages))
	}
}
