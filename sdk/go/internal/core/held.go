package core

import (
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

// heldPhase: waiting for a place, then running, then closing: its report is on the way. A release goes to closing at once;
// the entry goes when the server has acknowledged the report.
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
	// continues: its handler goes on when the lease can't be proved.
	continues bool
	phase     heldPhase
	// assignment is what is to be run, while it waits.
	assignment *pb.Assignment
	// expireAt is when it has waited too long.
	expireAt time.Time
	// execution is its handler, while it runs.
	execution *Execution
	// started: a handler was entered, once that is over.
	started bool
	// update is what its handler said of itself; nil: nothing.
	update *attemptUpdate
	// logs is what its handler has logged and no acknowledged heartbeat has carried; nil: nothing.
	logs *logTail
}

type heldList struct {
	byKey map[attemptKey]*held
	line  fifo[*held]
	// waiting counts the attempts that wait for a place.
	waiting int
}

func newHeldList() *heldList { return &heldList{byKey: map[attemptKey]*held{}} }

func (l *heldList) len() int { return len(l.byKey) }

func (l *heldList) add(key attemptKey, assignment *pb.Assignment) *held {
	entry := &held{
		key:       key,
		jobID:     assignment.JobId,
		attempt:   assignment.Attempt,
		continues: assignment.LeaseLossAction == pb.LeaseLossAction_LEASE_LOSS_ACTION_CONTINUE,
	}
	l.byKey[key] = entry
	return entry
}

func (l *heldList) wait(entry *held, assignment *pb.Assignment, expireAt time.Time) {
	entry.phase = waiting
	entry.assignment = assignment
	entry.expireAt = expireAt
	l.line.push(entry)
	l.waiting++
}

// leaveLine ends the waiting of an attempt: it is to be started or given back.
func (l *heldList) leaveLine(entry *held) *pb.Assignment {
	assignment := entry.assignment
	entry.assignment = nil
	entry.phase = closing
	l.waiting--
	return assignment
}

// first is the attempt that has waited longest; nil: none waits.
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

// all gives the entries, for loops that change some of them.
func (l *heldList) all() []*held {
	entries := make([]*held, 0, len(l.byKey))
	for _, entry := range l.byKey {
		entries = append(entries, entry)
	}
	return entries
}

// messages is what a heartbeat lists.
func (l *heldList) messages() []*pb.HeldAttempt {
	messages := make([]*pb.HeldAttempt, 0, len(l.byKey))
	for _, entry := range l.byKey {
		started := entry.started
		if entry.execution != nil {
			started = entry.execution.entered
		}
		messages = append(messages, &pb.HeldAttempt{JobId: entry.jobID, Attempt: entry.attempt, Started: started})
	}
	return messages
}
