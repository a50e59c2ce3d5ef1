package core

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

const (
	faultyJobs  = 60
	faultyTime  = 3 * time.Minute
	healingTime = 3 * time.Minute
)

// TestCoreUnderFaults runs jobs through a control plane that loses, duplicates and delays messages. It checks that each
// job ends once, that no session that has lost a job enters it, and that nothing is left over. MUSTER_SEED repeats one
// run; the scheduling of goroutines is not part of the seed.
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
	made, err := New(&workerpb.OpenSessionRequest{WorkerName: "faulty", Slots: 5, Handlers: []*pb.Handler{{Name: "work"}}}, Ports{
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
	// session is the session that has the attempt; 0: the job is ready.
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
	credits   []*workerpb.Credit
	voided    map[uint64]bool
	lastBeat  time.Time
	priorBeat time.Time
}

// faultyPlane is a control plane, a bus and handlers; everything between them and the core may fail.
type faultyPlane struct {
	t    *testing.T
	core *Core

	mu       sync.Mutex
	random   *rand.Rand
	faulty   bool
	jobs     []modelJob
	sessions map[uint64]*modelSession
	newest   uint64
	// outageEnd: until then every call is lost, so that the fence passes.
	outageEnd time.Time
}

func (f *faultyPlane) locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// chance returns true with the given probability while faults are on.
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

// Start runs a handler for a while; it may fail, ignore stops, or stop because of them.
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

// entered checks that the attempt is entered once, and only while its session is open in the model: the fence passes
// before the lease ends.
func (f *faultyPlane) entered(assignment *workerpb.Assignment) {
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
		if running := len(f.core.slots.running); running != 0 {
			f.t.Errorf("%d slots are taken at the end", running)
		}
	})
}
