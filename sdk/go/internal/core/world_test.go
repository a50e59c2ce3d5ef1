package core

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// world is a control plane, a bus and handlers in memory, under virtual time. By default nothing fails: calls take a
// millisecond, a ping follows each heartbeat, each report is accepted.
type world struct {
	t    *testing.T
	core *Core

	mu      sync.Mutex
	opens   []*workerpb.OpenSessionRequest
	beats   []sentBeat
	reports []*workerpb.ReportAttemptsRequest
	closes  int
	events  []EventKind
	bus     *BusOptions
	// reconnects counts the reconnects that the session requested.
	reconnects int
	pings      uint64
	runs       map[byte]*handlerRun
	refusedRun int

	// The answers of the next calls; nil: the default.
	onOpen   func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error)
	onBeat   func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error)
	onReport func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error)
	// busDown: nothing is published. beatLatency is the latency of heartbeats.
	busDown     bool
	beatLatency time.Duration
}

type sentBeat struct {
	at      time.Time
	request *workerpb.SendHeartbeatRequest
}

// handlerRun is a started handler: it returns the outcome given to finish.
type handlerRun struct {
	execution *Execution
	entered   bool
	stops     []StopReason
	outcome   chan Outcome
}

// inWorld runs a test under virtual time, with a worker with the given slots whose first session is ready.
func inWorld(t *testing.T, slots int, test func(t *testing.T, w *world)) {
	t.Helper()
	inColdWorld(t, slots, func(t *testing.T, w *world) {
		w.core.Start()
		w.pass(100 * time.Millisecond)
		test(t, w)
	})
}

// inColdWorld is inWorld with a core that is not started.
func inColdWorld(t *testing.T, slots int, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, runs: map[byte]*handlerRun{}, beatLatency: time.Millisecond}
		request := &workerpb.OpenSessionRequest{WorkerName: "test", Slots: int32(slots), Handlers: []*pb.Handler{{Name: "work", MaxVersion: 5}}}
		made, err := New(request, Ports{
			API: w, Bus: w, Runner: w,
			OnEvent: func(event Event) { w.locked(func() { w.events = append(w.events, event.Kind) }) },
			Logger:  slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.core = made
		test(t, w)
		w.core.Close()
		w.locked(func() {
			for _, run := range w.runs {
				close(run.outcome)
			}
		})
		w.pass(time.Minute)
	})
}

// pass advances the time, and waits until all goroutines are idle.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func (w *world) reconnectCount() (count int) {
	w.locked(func() { count = w.reconnects })
	return count
}

func jobID(number byte) []byte { return append(make([]byte, 15), number) }

// assignment makes an assignment for the worker's handler under the credit.
func assignment(number byte, credit uint64) *workerpb.Assignment {
	return &workerpb.Assignment{JobId: jobID(number), Attempt: 1, CreditId: credit, Handler: "work", DefinitionVersion: 1}
}

// send publishes a message to the session.
func (w *world) send(message *workerpb.SessionMessage) {
	w.mu.Lock()
	bus := w.bus
	w.mu.Unlock()
	bus.OnMessage(message)
	synctest.Wait()
}

func (w *world) assign(assignments ...*workerpb.Assignment) {
	w.send(&workerpb.SessionMessage{Assignments: assignments})
}

func (w *world) cancel(number byte) {
	w.send(&workerpb.SessionMessage{Cancels: []*workerpb.CancelNotice{{JobId: jobID(number), Attempt: 1}}})
}

func (w *world) suspend(number byte) {
	w.send(&workerpb.SessionMessage{Suspends: []*workerpb.SuspendNotice{{JobId: jobID(number), Attempt: 1}}})
}

// credit returns the newest granted credit with slots.
func (w *world) credit() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var newest uint64
	for _, credit := range w.granted() {
		newest = max(newest, credit.CreditId)
	}
	return newest
}

func (w *world) granted() (credits []*workerpb.Credit) {
	for _, beat := range w.beats {
		credits = append(credits, beat.request.Credits...)
	}
	for _, report := range w.reports {
		credits = append(credits, report.Credits...)
	}
	return credits
}

func (w *world) allGranted() []*workerpb.Credit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.granted()
}

func (w *world) lastGranted() *workerpb.Credit {
	credits := w.allGranted()
	return credits[len(credits)-1]
}

func (w *world) freeSlots() (free int) {
	w.core.do(func() { free = w.core.slots.free() })
	return free
}

// stops returns the stop reasons that the handler of a job received.
func (w *world) stops(number byte) []StopReason {
	run := w.run(number)
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]StopReason(nil), run.stops...)
}

func (w *world) answerOpen(answer func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error)) {
	w.locked(func() { w.onOpen = answer })
}

func (w *world) answerBeat(answer func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error)) {
	w.locked(func() { w.onBeat = answer })
}

func (w *world) answerReport(answer func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error)) {
	w.locked(func() { w.onReport = answer })
}

// answerOnceOpen, answerOnceBeat and answerOnceReport set the answer of the next call only.
func (w *world) answerOnceOpen(answer func(*workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error)) {
	w.answerOpen(func(request *workerpb.OpenSessionRequest) (*workerpb.OpenSessionResponse, error) {
		w.answerOpen(nil)
		return answer(request)
	})
}

func (w *world) answerOnceBeat(answer func(*workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error)) {
	w.answerBeat(func(request *workerpb.SendHeartbeatRequest) (*workerpb.SendHeartbeatResponse, error) {
		w.answerBeat(nil)
		return answer(request)
	})
}

func (w *world) answerOnceReport(answer func(*workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error)) {
	w.answerReport(func(request *workerpb.ReportAttemptsRequest) (*workerpb.ReportAttemptsResponse, error) {
		w.answerReport(nil)
		return answer(request)
	})
}

// calls returns the calls that the worker has made so far.
func (w *world) calls() (seen calls) {
	w.locked(func() {
		seen = calls{append([]*workerpb.OpenSessionRequest(nil), w.opens...), append([]sentBeat(nil), w.beats...), append([]*workerpb.ReportAttemptsRequest(nil), w.reports...), w.closes}
	})
	return seen
}

type calls struct {
	opens   []*workerpb.OpenSessionRequest
	beats   []sentBeat
	reports []*workerpb.ReportAttemptsRequest
	closes  int
}

// finish makes the handler of a job return.
func (w *world) finish(number byte, outcome Outcome) {
	w.t.Helper()
	run := w.run(number)
	if run == nil {
		w.t.Fatalf("job %d does not run", number)
	}
	run.outcome <- outcome
	synctest.Wait()
}

func (w *world) run(number byte) *handlerRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[number]
}

// reported returns the reports of a job, in the order of sending.
func (w *world) reported(number byte) (reports []*workerpb.AttemptReport) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, request := range w.reports {
		for _, report := range request.Reports {
			if report.JobId[15] == number {
				reports = append(reports, report)
			}
		}
	}
	return reports
}

// report returns the only report of a job.
func (w *world) report(number byte) *workerpb.AttemptReport {
	w.t.Helper()
	w.pass(5 * time.Millisecond)
	reports := w.reported(number)
	if len(reports) != 1 {
		w.t.Fatalf("job %d has %d reports, not one: %v", number, len(reports), reports)
	}
	return reports[0]
}

func (w *world) lastBeat() sentBeat {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.beats[len(w.beats)-1]
}

func (w *world) beatCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.beats)
}

func (w *world) wantEvents(want ...EventKind) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) != len(want) {
		w.t.Fatalf("events %v, not %v", w.events, want)
	}
	for i, kind := range want {
		if w.events[i] != kind {
			w.t.Fatalf("events %v, not %v", w.events, want)
		}
	}
}

func done(text string) Outcome { return Result(&pb.Payload{Data: []byte(text)}) }
