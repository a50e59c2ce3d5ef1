package core

import (
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// session is one session of the worker: its heartbeats, its subscription, its credits, and the attempts that it holds.
type session struct {
	id           []byte
	core         *Core
	beatInterval time.Duration
	credits      *credits
	held         *heldList
	updates      *updates
	grants       *grants
	attempts     *attempts
	fence        fence
	beats        *beats
	logBeats     *logBeats
	outbox       *outbox
	bus          *busLink
	// alarm rings when the fence, a waiting attempt or a run timeout is due.
	alarm    *alarm
	ready    bool
	isFenced bool
	closed   bool
	// servedInReplies is true while the server requests quick heartbeats because the bus is down, and assigns in their
	// replies.
	servedInReplies bool
}

func newSession(core *Core, opened *workerpb.OpenSessionResponse, openedAt time.Time) *session {
	s := &session{
		id:           opened.SessionId,
		core:         core,
		beatInterval: defaultBeatInterval,
		credits:      newCredits(),
		held:         newHeldList(),
		updates:      newUpdates(),
	}
	if opened.BeatInterval != nil {
		s.beatInterval = opened.BeatInterval.AsDuration()
	}
	lease := defaultLease
	if opened.Lease != nil {
		lease = opened.Lease.AsDuration()
	}
	s.fence = newFence(openedAt, lease)
	s.alarm = newAlarm(core.do, s.watch)
	s.beats = newBeats(core, s.beatInterval, s.beat)
	s.logBeats = newLogBeats(core, s.beats, s.updates.pending)
	s.bus = &busLink{core: core, owner: s}
	s.grants = newGrants(s.credits, s.held, &core.slots, core.rate)
	s.outbox = newOutbox(core, s.id, s.grants, s.updates, s, core.ports.Logger)
	s.attempts = &attempts{
		owner:      s,
		runner:     core.ports.Runner,
		slots:      &core.slots,
		held:       s.held,
		credits:    s.credits,
		cancels:    newCancels(),
		updates:    s.updates,
		stats:      &core.stats,
		maxPayload: int(opened.MaxPayload),
	}
	return s
}

func (s *session) start(opened *workerpb.OpenSessionResponse) {
	s.alarm.by(s.fence.at)
	s.bus.open(s.core.ports.Bus, opened)
	s.beats.now()
}

// advance starts waiting attempts, sends pending reports and offers free slots.
func (s *session) advance() {
	if s.closed {
		return
	}
	now := time.Now()
	s.attempts.startWaiting(now)
	s.outbox.reports.flush()
	idle := s.core.slots.free() - s.credits.slots
	if idle > 0 && !s.outbox.reports.active() && s.mayGrant(now) {
		s.beats.within(offerDelay)
	}
	if s.core.draining && s.held.len() == 0 {
		s.core.close()
	}
}

func (s *session) progress(entry *held, progress *pb.Progress) {
	s.updates.progress(entry, progress)
	s.beats.within(progressDelay)
}

func (s *session) checkpoint(entry *held, checkpoint *pb.Payload) {
	s.updates.checkpoint(entry, checkpoint)
	s.beats.within(progressDelay)
}

func (s *session) log(entry *held, record *pb.LogRecord) {
	s.updates.log(entry, record)
	s.logBeats.logged()
}

// extendRunTimeout makes sure that the server learns of the extension before it ends the attempt, which it does soon
// after the old run timeout.
func (s *session) extendRunTimeout(execution *Execution, extension time.Duration) {
	left := time.Until(execution.timeoutAt)
	if s.attempts.extendRunTimeout(execution, extension) {
		s.beats.within(min(progressDelay, max(0, left)))
	}
}

// regrant is called when the number of slots has changed: all credits are voided and granted anew.
func (s *session) regrant() {
	s.grants.voidAll()
	s.beats.within(0)
	s.advance()
}

func (s *session) drain() {
	s.grants.voidAll()
	s.attempts.giveBackUnstarted(workerpb.ReleaseReason_RELEASE_REASON_DRAIN)
	s.beats.within(0)
	s.advance()
}

// close ends everything on this side. The session makes no callbacks afterwards.
func (s *session) close(reason StopReason) {
	s.closed = true
	s.beats.close()
	s.logBeats.close()
	s.outbox.reports.close()
	s.alarm.cancel()
	s.bus.close()
	s.attempts.drop(reason)
}

// received handles cancels first, so that a cancel in the same message as its assignment keeps the attempt from
// starting.
func (s *session) received(message *workerpb.SessionMessage) {
	s.take(message)
}

// notices are what a message of the bus and the answer to a heartbeat have in common.
type notices interface {
	GetAssignments() []*workerpb.Assignment
	GetCancels() []*workerpb.CancelNotice
	GetSuspends() []*workerpb.SuspendNotice
}

func (s *session) take(got notices) {
	if s.closed {
		return
	}
	now := time.Now()
	for _, notice := range got.GetCancels() {
		s.attempts.cancel(notice, now)
	}
	s.attempts.admitAll(got.GetAssignments(), now)
	for _, notice := range got.GetSuspends() {
		s.attempts.suspend(notice)
	}
	s.advance()
}

func (s *session) connected() { s.beats.now() }

// gotPing is called on the first ping of a connection. The server ignores credits of a session that it believes to
// receive nothing, so all credits are granted anew in the heartbeat that carries the echo.
func (s *session) gotPing() {
	s.grants.voidAll()
	s.beats.now()
}

// broken is called when the connection breaks: assignments under the current credits may be lost. New credits are
// granted even while the bus is down, because replies to heartbeats then carry assignments.
func (s *session) broken() {
	s.grants.voidAll()
	s.beats.within(rand.N(reconnectSpread))
}

func (s *session) mayGrant(now time.Time) bool {
	reachable := s.bus.echo > 0 || s.servedInReplies
	return reachable && !s.core.draining && !s.fence.passed(now) && !s.outbox.reports.backlogged()
}

func (s *session) beat(sentAt time.Time) beat {
	echo := s.bus.echo
	s.grants.renew(sentAt)
	said := s.grants.compose(sentAt, s.mayGrant(sentAt))
	sent := s.updates.collect()
	number := s.outbox.gate.beatSent()
	return beat{
		request: &workerpb.SendHeartbeatRequest{
			SessionId:       s.id,
			HeldAttempts:    s.held.messages(),
			Credits:         said.credits,
			VoidedCreditIds: said.voided,
			Progress:        sent.messages,
			PingEcho:        echo,
			Draining:        s.core.draining,
		},
		answered: func(response *workerpb.SendHeartbeatResponse) {
			s.grants.answered(said)
			s.updates.delivered(sent)
			s.outbox.beatOver(number, true)
			s.answered(sentAt, response)
			if echo > 0 {
				s.becomeReady()
			}
		},
		failed: func(failure rpcerror.Facts) {
			s.grants.failed(said)
			// Updates that the server rejects must not cost the lease: they are not sent again.
			if failure.Code == codes.InvalidArgument {
				s.updates.delivered(sent)
			}
			s.outbox.beatOver(number, false)
			s.beatFailed(failure)
		},
	}
}

func (s *session) answered(sentAt time.Time, response *workerpb.SendHeartbeatResponse) {
	s.fence.extend(sentAt)
	s.servedInReplies = response.NextBeat != nil && response.NextBeat.AsDuration() < s.beatInterval
	if s.isFenced && !s.fence.passed(time.Now()) {
		s.recover()
	}
	if response.NatsCredentials != nil {
		s.bus.renewCredentials(response.NatsCredentials)
	}
	if response.ReconnectBus {
		s.bus.reconnect(response.NatsUrls)
	}
	if s.updates.pending() {
		s.beats.within(progressDelay)
	}
	if response.Drain {
		s.core.drain()
	}
	s.take(response)
}

func (s *session) beatFailed(failure rpcerror.Facts) {
	if failure.IsLeaseLost() {
		s.sessionLost()
		return
	}
	s.core.ports.Logger.Warn("a heartbeat failed", "code", failure.Code, "error", failure.Message)
	s.advance()
}

func (s *session) becomeReady() {
	if s.ready || s.closed {
		return
	}
	s.ready = true
	s.core.ports.OnEvent(Event{Kind: Ready})
}

func (s *session) sessionLost() {
	if !s.closed {
		s.core.lost()
	}
}

func (s *session) acknowledged(entry *held) {
	s.core.stats.Acknowledged++
	s.held.delete(entry)
}

func (s *session) beatWanted() { s.beats.within(0) }

func (s *session) settled() { s.advance() }

func (s *session) fenced(now time.Time) bool { return s.fence.passed(now) }

func (s *session) draining() bool { return s.core.draining }

func (s *session) supports(handler string, version int32) bool {
	return s.core.supports(handler, version)
}

func (s *session) report(entry *held, outcome Outcome) { s.outbox.add(entry, outcome) }

func (s *session) dueBy(at time.Time) { s.alarm.by(at) }

func (s *session) watch() {
	now := time.Now()
	if s.fence.passed(now) {
		s.fall()
	} else {
		s.alarm.by(s.fence.at)
	}
	s.attempts.watch(now)
	s.advance()
}

// fall is called when the lease can't be proved any more. The session is kept and continues to send heartbeats.
func (s *session) fall() {
	if s.isFenced {
		return
	}
	s.isFenced = true
	s.core.stats.Fences++
	s.core.ports.Logger.Warn("the lease can not be proved: handlers are stopped until a heartbeat is answered")
	s.grants.voidAll()
	s.attempts.abort()
	s.core.ports.OnEvent(Event{Kind: Fenced})
}

func (s *session) recover() {
	s.isFenced = false
	s.alarm.by(s.fence.at)
	s.beats.within(0)
	s.core.ports.OnEvent(Event{Kind: Recovered})
}
