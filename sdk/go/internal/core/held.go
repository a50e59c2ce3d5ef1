package core

import (
	"time"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// heldPhase is the phase of a held attempt: waiting for a slot, then running, then closing while its report is pending.
// A release starts in closing. The entry is removed when the server has acknowledged the report.
type heldPhase int

const (
	closing heldPhase = iota
	waiting
	running
)

// held is an attempt that the session holds: accepted or being given back, until its report is acknowledged.
type held struct {
	key     attemptKey
	jobID   []byte
	attempt int32
	// continues means that its handler continues when the lease can't be proved.
	continues bool
	phase     heldPhase
	// assignment is set while the attempt waits.
	assignment *workerpb.Assignment
	// expireAt is when a waiting attempt is given back.
	expireAt time.Time
	// execution is its handler while it runs.
	execution *Execution
	// started means that a handler was entered. It is set when that handler's attempt is closed.
	started bool
	// update holds what its handler has reported; nil if nothing.
	update *attemptUpdate
	// logs holds log records that no acknowledged heartbeat has carried; nil if there were none.
	logs *logTail
}

type heldList struct {
	byKey map[attemptKey]*held
	line  fifo[*held]
	// waiting counts the attempts that wait for a slot.
	waiting int
}

func newHeldList() *heldList { return &heldList{byKey: map[attemptKey]*held{}} }

func (l *heldList) len() int { return len(l.byKey) }

func (l *heldList) add(key attemptKey, assignment *workerpb.Assignment) *held {
	entry := &held{
		key:       key,
		jobID:     assignment.JobId,
		attempt:   assignment.Attempt,
		continues: assignment.LeaseLossAction == pb.LeaseLossAction_LEASE_LOSS_ACTION_CONTINUE,
	}
	l.byKey[key] = entry
	return entry
}

func (l *heldList) wait(entry *held, assignment *workerpb.Assignment, expireAt time.Time) {
	entry.phase = waiting
	entry.assignment = assignment
	entry.expireAt = expireAt
	l.line.push(entry)
	l.waiting++
}

// leaveLine removes an attempt from the line, to be started or given back.
func (l *heldList) leaveLine(entry *held) *workerpb.Assignment {
	assignment := entry.assignment
	entry.assignment = nil
	entry.phase = closing
	l.waiting--
	return assignment
}

// first returns the attempt that has waited longest; nil if none waits.
func (l *heldList) first() *held {
	for {
		entry, ok := l.line.peek()
		if !ok {
			return nil
		}
		if entry.phase == waiting {
			return entry
		}
		l.line.shift()
	}
}

func (l *heldList) delete(entry *held) {
	if l.byKey[entry.key] == entry {
		delete(l.byKey, entry.key)
	}
}

// all returns a copy of the entries, for loops that change some of them.
func (l *heldList) all() []*held {
	entries := make([]*held, 0, len(l.byKey))
	for _, entry := range l.byKey {
		entries = append(entries, entry)
	}
	return entries
}

// messages lists the held attempts for a heartbeat.
func (l *heldList) messages() []*workerpb.HeldAttempt {
	messages := make([]*workerpb.HeldAttempt, 0, len(l.byKey))
	for _, entry := range l.byKey {
		started := entry.started
		if entry.execution != nil {
			started = entry.execution.entered
		}
		messages = append(messages, &workerpb.HeldAttempt{JobId: entry.jobID, Attempt: entry.attempt, Started: started})
	}
	return messages
}
