package core

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// faultyCall may lose the request or the answer, or delay either.
func faultyCall[T any](ctx context.Context, f *faultyPlane, execute func() (T, error)) (T, error) {
	var none T
	if err := wait(ctx, f.delay(500*time.Millisecond)); err != nil {
		return none, err
	}
	var outage bool
	f.locked(func() { outage = f.faulty && time.Now().Before(f.outageEnd) })
	if outage || f.chance(0.1) {
		return none, status.Error(codes.Unavailable, "the request was lost")
	}
	answer, err := execute()
	late := f.delay(500 * time.Millisecond)
	if f.chance(0.05) {
		late = 20 * time.Second
	}
	if err := wait(ctx, late); err != nil {
		return none, err
	}
	if f.chance(0.1) {
		return none, status.Error(codes.Unavailable, "the answer was lost")
	}
	return answer, err
}

func (f *faultyPlane) OpenSession(ctx context.Context, _ *workerpb.OpenSessionRequest, _ ...grpc.CallOption) (*workerpb.OpenSessionResponse, error) {
	return faultyCall(ctx, f, func() (*workerpb.OpenSessionResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.newest++
		f.sessions[f.newest] = &modelSession{lease: time.Now().Add(15 * time.Second), voided: map[uint64]bool{}}
		return &workerpb.OpenSessionResponse{
			SessionId:    binary.BigEndian.AppendUint64(make([]byte, 8), f.newest),
			BeatInterval: durationpb.New(5 * time.Second),
			Lease:        durationpb.New(15 * time.Second),
			Subject:      strconv.FormatUint(f.newest, 10),
		}, nil
	})
}

func (f *faultyPlane) open(id []byte) (uint64, *modelSession, error) {
	number := binary.BigEndian.Uint64(id[8:])
	if session := f.sessions[number]; session != nil && !session.closed {
		return number, session, nil
	}
	return 0, nil, failedPrecondition("LEASE_LOST")
}

func (f *faultyPlane) SendHeartbeat(ctx context.Context, request *workerpb.SendHeartbeatRequest, _ ...grpc.CallOption) (*workerpb.SendHeartbeatResponse, error) {
	return faultyCall(ctx, f, func() (*workerpb.SendHeartbeatResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		number, session, err := f.open(request.SessionId)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		session.lease = now.Add(15 * time.Second)
		session.echo = max(session.echo, request.PingEcho)
		session.pings++
		f.publish(session, &workerpb.SessionMessage{Ping: session.pings})
		f.park(session, request.Credits, request.VoidedCreditIds)
		answer := &workerpb.SendHeartbeatResponse{
			Assignments:  f.unlisted(number, session, request.HeldAttempts),
			ReconnectBus: session.pings-session.echo >= 3,
		}
		session.priorBeat, session.lastBeat = session.lastBeat, now
		f.dispatch(number, session)
		return answer, nil
	})
}

// unlisted returns what was assigned before the previous heartbeat and is not held.
func (f *faultyPlane) unlisted(number uint64, session *modelSession, held []*workerpb.HeldAttempt) (again []*workerpb.Assignment) {
	listed := map[attemptKey]bool{}
	for _, attempt := range held {
		listed[keyOf(attempt.JobId, attempt.Attempt)] = true
	}
	for i := range f.jobs {
		job := &f.jobs[i]
		if job.session == number && job.since.Before(session.priorBeat) && !listed[keyOf(jobID(byte(i)), job.attempt)] {
			again = append(again, f.assignmentOf(i))
		}
	}
	return again
}

func (f *faultyPlane) ReportAttempts(ctx context.Context, request *workerpb.ReportAttemptsRequest, _ ...grpc.CallOption) (*workerpb.ReportAttemptsResponse, error) {
	return faultyCall(ctx, f, func() (*workerpb.ReportAttemptsResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		number, session, err := f.open(request.SessionId)
		if err != nil {
			return nil, err
		}
		f.park(session, request.Credits, request.VoidedCreditIds)
		answer := &workerpb.ReportAttemptsResponse{}
		for _, report := range request.Reports {
			answer.Results = append(answer.Results, f.closeAttempt(number, report))
		}
		f.dispatch(number, session)
		return answer, nil
	})
}

func (f *faultyPlane) closeAttempt(number uint64, report *workerpb.AttemptReport) workerpb.ReportResult {
	job := &f.jobs[report.JobId[15]]
	if job.session != number || job.attempt != report.Attempt {
		return workerpb.ReportResult_REPORT_RESULT_LEASE_LOST
	}
	if report.GetReleased() != nil && job.entries[report.Attempt] > 0 {
		f.t.Errorf("attempt %d of job %d was released after it was entered", report.Attempt, report.JobId[15])
	}
	job.session = 0
	job.ended = report.GetResult() != nil
	return workerpb.ReportResult_REPORT_RESULT_ACCEPTED
}

func (f *faultyPlane) CloseSession(ctx context.Context, _ *workerpb.CloseSessionRequest, _ ...grpc.CallOption) (*workerpb.CloseSessionResponse, error) {
	return &workerpb.CloseSessionResponse{}, wait(ctx, time.Millisecond)
}

func (f *faultyPlane) park(session *modelSession, credits []*workerpb.Credit, voided []uint64) {
	for _, id := range voided {
		session.voided[id] = true
	}
	session.credits = append(session.credits, credits...)
}

// dispatch assigns ready jobs to the session within its credits, including voided ones that it still considers valid.
func (f *faultyPlane) dispatch(number uint64, session *modelSession) {
	message := &workerpb.SessionMessage{}
	for _, credit := range session.credits {
		for ; credit.Slots+credit.Prefetch > 0 && !session.voided[credit.CreditId]; f.spend(credit) {
			ready := f.ready()
			if ready < 0 {
				break
			}
			job := &f.jobs[ready]
			job.attempt++
			job.session, job.since, job.credit = number, time.Now(), credit.CreditId
			assigned := f.assignmentOf(ready)
			assigned.Prefetch = credit.Slots == 0
			message.Assignments = append(message.Assignments, assigned)
		}
	}
	session.credits = nil
	if len(message.Assignments) > 0 {
		f.publish(session, message)
	}
}

func (f *faultyPlane) spend(credit *workerpb.Credit) {
	if credit.Slots > 0 {
		credit.Slots--
	} else {
		credit.Prefetch--
	}
}

func (f *faultyPlane) ready() int {
	for i, job := range f.jobs {
		if !job.ended && job.session == 0 {
			return i
		}
	}
	return -1
}

func (f *faultyPlane) assignmentOf(number int) *workerpb.Assignment {
	job := f.jobs[number]
	return &workerpb.Assignment{JobId: jobID(byte(number)), Attempt: job.attempt, CreditId: job.credit, Handler: "work"}
}

// publish may lose a message, duplicate it, and delay each copy separately. The lock must be held.
func (f *faultyPlane) publish(session *modelSession, message *workerpb.SessionMessage) {
	if session.bus == nil {
		return
	}
	copies := 1
	if f.faulty {
		copies = []int{0, 1, 1, 1, 1, 1, 2}[f.random.IntN(7)]
	}
	for range copies {
		late := time.Millisecond
		if f.faulty && f.random.Float64() < 0.1 {
			late = time.Duration(f.random.Int64N(int64(20 * time.Second)))
		}
		bus := session.bus
		time.AfterFunc(late, func() { bus.OnMessage(message) })
	}
}

// sweep closes sessions whose lease has ended, and makes their jobs ready again.
func (f *faultyPlane) sweep() {
	f.locked(func() {
		for number, session := range f.sessions {
			if session.closed || time.Now().Before(session.lease) {
				continue
			}
			session.closed = true
			for i := range f.jobs {
				if f.jobs[i].session == number {
					f.jobs[i].session = 0
				}
			}
		}
	})
	if f.chance(0.02) {
		f.locked(func() {
			f.outageEnd = time.Now().Add(10*time.Second + time.Duration(f.random.Int64N(int64(15*time.Second))))
		})
	}
}
