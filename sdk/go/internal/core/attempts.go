package core

import (
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

type attemptsOwner interface {
	fenced(now time.Time) bool
	draining() bool
	supports(handler string, version int32) bool
	// report queues the report that closes the attempt.
	report(entry *held, outcome Outcome)
	// dueBy asks for a call of watch no later than the given time.
	dueBy(at time.Time)
}

// attempts handles each attempt of a session, from its arrival until its report is made.
type attempts struct {
	owner      attemptsOwner
	runner     Runner
	slots      *slotTable
	held       *heldList
	credits    *credits
	cancels    *cancels
	updates    *updates
	stats      *Stats
	maxPayload int
}

// admitAll admits assignments for slots first: a prefetched attempt may wait, and must not take a slot that was
// promised to another.
func (a *attempts) admitAll(assignments []*workerpb.Assignment, now time.Time) {
	for _, prefetch := range []bool{false, true} {
		for _, assignment := range assignments {
			if assignment.Prefetch == prefetch {
				a.admit(assignment, now)
			}
		}
	}
}

func (a *attempts) admit(assignment *workerpb.Assignment, now time.Time) {
	key := keyOf(assignment.JobId, assignment.Attempt)
	credit := a.credits.live(assignment.CreditId, now)
	verdict := judge(a.facts(assignment, key, credit, now))
	if verdict.kind == ignore {
		return
	}
	// The server has spent the permit, whatever the verdict here.
	if credit != nil {
		a.credits.spend(credit, key, assignment.Prefetch)
	}
	entry := a.held.add(key, assignment)
	if verdict.kind == release {
		a.release(entry, verdict.reason)
	} else {
		a.accept(entry, assignment, now)
	}
}

func (a *attempts) facts(assignment *workerpb.Assignment, key attemptKey, credit *liveCredit, now time.Time) acceptanceFacts {
	facts := acceptanceFacts{
		held:      a.held.byKey[key] != nil,
		fenced:    a.owner.fenced(now),
		full:      a.held.len() >= maxHeld,
		cancelled: a.cancels.has(key, now),
		draining:  a.owner.draining(),
		supported: a.owner.supports(assignment.Handler, assignment.DefinitionVersion),
		slotFree:  assignment.Prefetch || a.slots.free() > 0,
	}
	if credit != nil {
		_, facts.seen = credit.seen[key]
		facts.creditUnspent = credit.slots > 0
		if assignment.Prefetch {
			facts.creditUnspent = credit.prefetch > 0
		}
	}
	if facts.held || facts.seen {
		a.stats.Duplicates++
	} else if facts.fenced || facts.full {
		a.stats.Ignored++
	}
	return facts
}

func (a *attempts) accept(entry *held, assignment *workerpb.Assignment, now time.Time) {
	a.stats.Accepted++
	if a.slots.free() > 0 {
		a.start(entry, assignment, now)
		return
	}
	a.held.wait(entry, assignment, now.Add(prefetchWait))
	a.owner.dueBy(entry.expireAt)
}

func (a *attempts) start(entry *held, assignment *workerpb.Assignment, now time.Time) {
	execution := a.slots.take(entry, assignment, now.Add(RunTimeoutOf(assignment)))
	entry.phase = running
	entry.execution = execution
	a.owner.dueBy(execution.timeoutAt)
	execution.stop = a.runner.Start(execution)
}

// RunTimeoutOf is the handler's run timeout without requested extensions.
func RunTimeoutOf(assignment *workerpb.Assignment) time.Duration {
	if assignment.RunTimeout == nil {
		return DefaultRunTimeout
	}
	return assignment.RunTimeout.AsDuration()
}

// startWaiting starts waiting attempts while slots are free.
func (a *attempts) startWaiting(now time.Time) {
	for a.slots.free() > 0 && !a.owner.fenced(now) {
		entry := a.held.first()
		if entry == nil {
			return
		}
		assignment := a.held.leaveLine(entry)
		if now.Before(entry.expireAt) {
			a.start(entry, assignment, now)
		} else {
			a.release(entry, workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED)
		}
	}
}

func (a *attempts) cancel(notice *workerpb.CancelNotice, now time.Time) {
	key := keyOf(notice.JobId, notice.Attempt)
	entry := a.held.byKey[key]
	if entry == nil {
		a.cancels.remember(key, now)
		return
	}
	if entry.phase == closing || a.giveBack(entry, workerpb.ReleaseReason_RELEASE_REASON_CANCELLED) {
		return
	}
	if entry.execution.signal(Cancelled) {
		a.stats.Cancels++
	}
}

// suspend is repeated by each heartbeat, so a request that overtakes its assignment is dropped.
func (a *attempts) suspend(notice *workerpb.SuspendNotice) {
	entry := a.held.byKey[keyOf(notice.JobId, notice.Attempt)]
	if entry == nil || entry.phase == closing {
		return
	}
	if !a.giveBack(entry, workerpb.ReleaseReason_RELEASE_REASON_SUSPENDED) {
		entry.execution.signal(Suspended)
	}
}

// ended is called when the handler has returned. It reports the attempt if it is still held.
func (a *attempts) ended(execution *Execution, outcome Outcome) {
	if execution.held != nil {
		a.close(execution, a.verdictOn(execution, outcome))
	}
}

// extendRunTimeout returns false when it comes too late. The alarm also rings at the old time; nothing is due then.
func (a *attempts) extendRunTimeout(execution *Execution, extension time.Duration) bool {
	if execution.held == nil || execution.stopped == RunTimeout || extension <= execution.extension {
		return false
	}
	execution.timeoutAt = execution.timeoutAt.Add(extension - execution.extension)
	execution.extension = extension
	a.updates.extendRunTimeout(execution.held, extension)
	return true
}

// giveBackUnstarted gives back every attempt whose handler was not entered.
func (a *attempts) giveBackUnstarted(reason workerpb.ReleaseReason) {
	for _, entry := range a.held.all() {
		if entry.phase != closing {
			a.giveBack(entry, reason)
		}
	}
}

// abort is called when the fence has passed. Attempts that must not continue without a lease are stopped and reported
// as aborted.
func (a *attempts) abort() {
	a.giveBackUnstarted(workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED)
	for _, execution := range a.slots.all() {
		if execution.held == nil || execution.held.continues {
			continue
		}
		execution.signal(LeaseLost)
		a.stats.Aborted++
		a.close(execution, aborted())
	}
}

// drop is called when the session is over. Handlers are asked to stop, and their results are dropped.
func (a *attempts) drop(reason StopReason) {
	for _, execution := range a.slots.all() {
		if execution.held == nil {
			continue
		}
		execution.held = nil
		if execution.withdraw() {
			a.slots.release(execution)
		} else {
			execution.signal(reason)
		}
	}
}

// watch handles what is due, and asks to be called again when the next thing is.
func (a *attempts) watch(now time.Time) {
	for entry := a.held.first(); entry != nil; entry = a.held.first() {
		if now.Before(entry.expireAt) {
			a.owner.dueBy(entry.expireAt)
			break
		}
		a.giveBack(entry, workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED)
	}
	for _, execution := range a.slots.all() {
		if execution.held != nil {
			a.watchTimeout(execution, now)
		}
	}
}

func (a *attempts) watchTimeout(execution *Execution, now time.Time) {
	if execution.stopped != RunTimeout {
		if now.Before(execution.timeoutAt) {
			a.owner.dueBy(execution.timeoutAt)
			return
		}
		// For a handler that was asked to stop, the server enforces the grace period.
		if execution.stopped != "" || a.giveBack(execution.held, workerpb.ReleaseReason_RELEASE_REASON_NOT_STARTED) {
			return
		}
		a.stats.Timeouts++
		execution.signal(RunTimeout)
		execution.graceAt = now.Add(runTimeoutGrace)
	}
	if now.Before(execution.graceAt) {
		a.owner.dueBy(execution.graceAt)
	} else {
		a.close(execution, Failure(runTimeoutFailure()))
	}
}

// giveBack releases an attempt if its handler was not entered.
func (a *attempts) giveBack(entry *held, reason workerpb.ReleaseReason) bool {
	if execution := entry.execution; execution != nil {
		if !execution.withdraw() {
			return false
		}
		execution.held = nil
		a.slots.release(execution)
	} else if entry.phase == waiting {
		a.held.leaveLine(entry)
	}
	a.release(entry, reason)
	return true
}

func (a *attempts) release(entry *held, reason workerpb.ReleaseReason) {
	a.stats.Released++
	a.finish(entry, released(reason))
}

func (a *attempts) verdictOn(execution *Execution, outcome Outcome) Outcome {
	if execution.stopped == RunTimeout {
		return Failure(runTimeoutFailure())
	}
	// A success that comes first wins. Only a handler that stopped because of the request is reported so.
	if execution.stopped == Cancelled && outcome.GetResult() == nil {
		return cancelled()
	}
	if execution.stopped == Suspended && outcome.GetFailure() != nil {
		return Suspension(nil)
	}
	return bounded(outcome, a.maxPayload)
}

// close queues the report for the attempt of an entered handler. The slot stays taken until the handler has returned.
func (a *attempts) close(execution *Execution, outcome Outcome) {
	entry := execution.held
	execution.held = nil
	entry.started = true
	a.finish(entry, outcome)
}

func (a *attempts) finish(entry *held, outcome Outcome) {
	entry.phase = closing
	entry.execution = nil
	a.owner.report(entry, outcome)
}
