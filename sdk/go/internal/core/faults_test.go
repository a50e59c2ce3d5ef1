package core

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "muster.dev/sdk/go/musterpb"
)

const (
	faultyJobs  = 60
	faultyTime  = 3 * time.Minute
	healingTime = 3 * time.Minute
)

// TestCoreUnderFaults runs jobs through a control plane that loses, doubles and delays what passes between it and the worker,
// and looks that each job ends once, that none is entered by a session that has lost it, and that nothing is left over.
// MUSTER_SEED repeats one run; how goroutines take turns is not in the seed.
func TestCoreUnderFaults(t *testing.T) {
	seeds := []uint64{rand.Uint64()}
	if text := os.Getenv("MUSTER_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds[0] = seed
	}
	for len(seeds) < 40 {
		seeds = append(seeds, seeds[0]+uint64(len(seeds)))
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("MUSTER_SEED=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runUnderFaults(t, seed) })
		})
	}
}

func runUnderFaults(t *testing.T, seed uint64) {
	f := &faultyPlane{t: t, random: rand.New(rand.NewPCG(seed, 1)), faulty: true, jobs: make([]modelJob, faultyJobs), sessions: map[uint64]*modelSession{}}
	made, err := New(&pb.OpenSessionRequest{WorkerName: "faulty", Slots: 5, Handlers: []*pb.Handler{{Name: "work"}}}, Ports{
		API: f, Bus: f, Runner: f, OnEvent: func(Event) {}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.core = made
	made.Start()
	for end := time.Now().Add(faultyTime); time.Now().Before(end); time.Sleep(time.Second) {
		f.sweep()
	}
	f.locked(func() { f.faulty = false })
	for end := time.Now().Add(healingTime); time.Now().Before(end); time.Sleep(time.Second) {
		f.sweep()
	}
	synctest.Wait()
	f.check()
	made.Close()
	time.Sleep(time.Minute)
}

type modelJob struct {
	ended   bool
	attempt int32
	// session has the attempt; 0: the job is ready.
	session uint64
	since   time.Time
	credit  uint64
	entries map[int32]int
}

type modelSession struct {
	lease     time.Time
	closed    bool
	bus       *BusOptions
	pings     uint64
	echo      uint64
	credits   []*pb.Credit
	voided    map[uint64]bool
	lastBeat  time.Time
	priorBeat time.Time
}

// faultyPlane is a control plane, a bus and handlers, of which anything between them and the core may fail.
type faultyPlane struct {
	t    *testing.T
	core *Core

	mu       sync.Mutex
	random   *rand.Rand
	faulty   bool
	jobs     []modelJob
	sessions map[uint64]*modelSession
	newest   uint64
	// outageEnd: until then every call is lost, so that the fence falls.
	outageEnd time.Time
}

func (f *faultyPlane) locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// chance is true with the probability, while there are faults.
func (f *faultyPlane) chance(probability float64) (hit bool) {
	f.locked(func() { hit = f.faulty && f.random.Float64() < probability })
	return hit
}

func (f *faultyPlane) delay(most time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.faulty {
		return time.Millisecond
	}
	return time.Duration(f.random.Int64N(int64(most)))
}

// faultyCall may lose the request, or the answer, or be slow with either.
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

func (f *faultyPlane) OpenSession(ctx context.Context, _ *pb.OpenSessionRequest, _ ...grpc.CallOption) (*pb.OpenSessionResponse, error) {
	return faultyCall(ctx, f, func() (*pb.OpenSessionResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.newest++
		f.sessions[f.newest] = &modelSession{lease: time.Now().Add(15 * time.Second), voided: map[uint64]bool{}}
		return &pb.OpenSessionResponse{
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

func (f *faultyPlane) Heartbeat(ctx context.Context, request *pb.HeartbeatRequest, _ ...grpc.CallOption) (*pb.HeartbeatResponse, error) {
	return faultyCall(ctx, f, func() (*pb.HeartbeatResponse, error) {
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
		f.publish(session, &pb.SessionMessage{Ping: session.pings})
		f.park(session, request.Credits, request.VoidedCreditIds)
		answer := &pb.HeartbeatResponse{
			Assignments:  f.unlisted(number, session, request.Held),
			ReconnectBus: session.pings-session.echo >= 3,
		}
		session.priorBeat, session.lastBeat = session.lastBeat, now
		f.dispatch(number, session)
		return answer, nil
	})
}

// unlisted gives what was assigned before the previous beat and is not held.
func (f *faultyPlane) unlisted(number uint64, session *modelSession, held []*pb.HeldAttempt) (again []*pb.Assignment) {
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

func (f *faultyPlane) ReportAttempts(ctx context.Context, request *pb.ReportAttemptsRequest, _ ...grpc.CallOption) (*pb.ReportAttemptsResponse, error) {
	return faultyCall(ctx, f, func() (*pb.ReportAttemptsResponse, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		number, session, err := f.open(request.SessionId)
		if err != nil {
			return nil, err
		}
		f.park(session, request.Credits, request.VoidedCreditIds)
		answer := &pb.ReportAttemptsResponse{}
		for _, report := range request.Reports {
			answer.Results = append(answer.Results, f.closeAttempt(number, report))
		}
		f.dispatch(number, session)
		return answer, nil
	})
}

func (f *faultyPlane) closeAttempt(number uint64, report *pb.AttemptReport) pb.ReportResult {
	job := &f.jobs[report.JobId[15]]
	if job.session != number || job.attempt != report.Attempt {
		return pb.ReportResult_REPORT_RESULT_LEASE_LOST
	}
	if report.GetReleased() != nil && job.entries[report.Attempt] > 0 {
		f.t.Errorf("attempt %d of job %d was released after it was entered", report.Attempt, report.JobId[15])
	}
	job.session = 0
	job.ended = report.GetResult() != nil
	return pb.ReportResult_REPORT_RESULT_ACCEPTED
}

func (f *faultyPlane) CloseSession(ctx context.Context, _ *pb.CloseSessionRequest, _ ...grpc.CallOption) (*pb.CloseSessionResponse, error) {
	return &pb.CloseSessionResponse{}, wait(ctx, time.Millisecond)
}

func (f *faultyPlane) park(session *modelSession, credits []*pb.Credit, voided []uint64) {
	for _, id := range voided {
		session.voided[id] = true
	}
	session.credits = append(session.credits, credits...)
}

// dispatch hands ready jobs to the session, as far as its credits go, also voided ones of which it does not know yet.
func (f *faultyPlane) dispatch(number uint64, session *modelSession) {
	message := &pb.SessionMessage{}
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

func (f *faultyPlane) spend(credit *pb.Credit) {
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

func (f *faultyPlane) assignmentOf(number int) *pb.Assignment {
	job := f.jobs[number]
	return &pb.Assignment{JobId: jobID(byte(number)), Attempt: job.attempt, CreditId: job.credit, Handler: "work"}
}

// publish may lose a message, double it, and delay each of the two on its own. The lock is held.
func (f *faultyPlane) publish(session *modelSession, message *pb.SessionMessage) {
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

// sweep closes sessions whose lease is over, and gives their jobs back.
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

func (f *faultyPlane) Connect(options BusOptions) BusConnection {
	number, _ := strconv.ParseUint(options.Subject, 10, 64)
	connection := &faultyConnection{plane: f, number: number, options: &options}
	go connection.connect()
	return connection
}

type faultyConnection struct {
	plane   *faultyPlane
	number  uint64
	options *BusOptions
}

func (c *faultyConnection) connect() {
	time.Sleep(c.plane.delay(time.Second))
	c.plane.locked(func() { c.plane.sessions[c.number].bus = c.options })
	c.options.OnStatus(true)
}

func (c *faultyConnection) Reconnect() {
	go func() {
		c.plane.locked(func() { c.plane.sessions[c.number].bus = nil })
		c.options.OnStatus(false)
		c.connect()
	}()
}

func (c *faultyConnection) Close() {}

// Start runs a handler for a while; it may fail, be deaf to stops, or give up because of them.
func (f *faultyPlane) Start(execution *Execution) func(StopReason) {
	stopped := make(chan struct{})
	var once sync.Once
	go func() {
		if !f.core.Enter(execution) {
			return
		}
		f.entered(execution.Assignment)
		outcome := done("x")
		if f.chance(0.2) {
			outcome = Failure(&pb.Failure{Type: "Chance"})
		}
		if f.chance(0.3) {
			f.core.Checkpoint(execution, &pb.Payload{Data: []byte("x")})
		}
		deaf := f.chance(0.2)
		longest := 4 * time.Second
		if f.chance(0.2) {
			longest = 40 * time.Second
		}
		select {
		case <-time.After(f.delay(longest)):
		case <-stopped:
			if deaf {
				time.Sleep(10 * time.Second)
			} else {
				outcome = Failure(&pb.Failure{Type: "Stopped"})
			}
		}
		f.core.Ended(execution, outcome)
	}()
	return func(StopReason) { once.Do(func() { close(stopped) }) }
}

// entered looks that the attempt is entered once, and only while its session is open. The session's own record of it is the
// model's: the fence falls before the lease.
func (f *faultyPlane) entered(assignment *pb.Assignment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	job := &f.jobs[assignment.JobId[15]]
	if job.entries == nil {
		job.entries = map[int32]int{}
	}
	job.entries[assignment.Attempt]++
	if job.entries[assignment.Attempt] > 1 {
		f.t.Errorf("attempt %d of job %d was entered twice", assignment.Attempt, assignment.JobId[15])
	}
	if job.attempt == assignment.Attempt && job.session == 0 {
		f.t.Errorf("attempt %d of job %d was entered after it was taken away or reported", assignment.Attempt, assignment.JobId[15])
	}
	if job.attempt > assignment.Attempt {
		f.t.Errorf("attempt %d of job %d was entered after attempt %d was assigned", assignment.Attempt, assignment.JobId[15], job.attempt)
	}
}

func (f *faultyPlane) check() {
	f.mu.Lock()
	for i, job := range f.jobs {
		if !job.ended {
			f.t.Errorf("job %d has not ended: %d attempts, session %d", i, job.attempt, job.session)
		}
	}
	f.mu.Unlock()
	f.core.do(func() {
		if f.core.session == nil {
			f.t.Error("there is no session")
		} else if held := f.core.session.held.len(); held != 0 {
			f.t.Errorf("%d attempts are held at the end", held)
		}
		if running := len(f.core.places.running); running != 0 {
			f.t.Errorf("%d places are taken at the end", running)
		}
	})
}
