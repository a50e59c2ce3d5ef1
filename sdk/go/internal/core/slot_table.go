package core

import (
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// Execution is a handler that has received its attempt and has not returned yet.
type Execution struct {
	// Assignment is the assigned attempt. It never changes.
	Assignment *workerpb.Assignment

	// stop signals the handler.
	stop func(StopReason)
	// index is its index in slotTable.running.
	index int
	// timeoutAt is when its run timeout is reached.
	timeoutAt time.Time
	// extension is the time that the handler has requested beyond its run timeout.
	extension time.Duration
	// graceAt is when the run timeout is reported even if the handler has not returned; set when the timeout is
	// signalled.
	graceAt time.Time
	// stopped is the first reason with which it was stopped; empty if it was not.
	stopped StopReason
	// entered means that the handler was called; withdrawn, that it never will be.
	entered, withdrawn bool
	// held is its attempt; nil once the attempt was given up, and then the handler's result is dropped.
	held *held
}

// signal asks the handler to stop, unless it was asked before.
func (e *Execution) signal(reason StopReason) bool {
	if e.stopped != "" {
		return false
	}
	e.stopped = reason
	if e.entered {
		e.stop(reason)
	}
	return true
}

// withdraw takes the attempt back if its handler was not entered. It returns true if the handler never was and never
// will be entered.
func (e *Execution) withdraw() bool {
	e.withdrawn = !e.entered
	return e.withdrawn
}

// slotTable holds the running handlers and the number of slots. It belongs to the worker and outlives its sessions.
type slotTable struct {
	size    int
	running []*Execution
}

// free returns how many more handlers may start. Handlers that were asked to stop and have not returned still occupy
// their slots.
func (t *slotTable) free() int { return max(0, t.size-len(t.running)) }

func (t *slotTable) take(held *held, assignment *workerpb.Assignment, timeoutAt time.Time) *Execution {
	execution := &Execution{Assignment: assignment, held: held, timeoutAt: timeoutAt, index: len(t.running)}
	t.running = append(t.running, execution)
	return execution
}

// release frees the slot of a handler that has returned or will never be entered.
func (t *slotTable) release(execution *Execution) {
	last := len(t.running) - 1
	t.running[execution.index] = t.running[last]
	t.running[execution.index].index = execution.index
	t.running[last] = nil
	t.running = t.running[:last]
}

// all returns a copy of the running handlers, for loops that release some of them.
func (t *slotTable) all() []*Execution { return append([]*Execution(nil), t.running...) }
