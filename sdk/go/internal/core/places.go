package core

import (
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

// Execution is a handler that has received its attempt and has not returned yet.
type Execution struct {
	// Assignment is the assigned attempt. It never changes.
	Assignment *pb.Assignment

	// stop signals the handler.
	stop func(StopReason)
	// index is its index in places.running.
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

// places are the running handlers and the number of slots. They belong to the worker and outlive its sessions.
type places struct {
	slots   int
	running []*Execution
}

// free returns how many more handlers may start. Handlers that were asked to stop and have not returned still occupy
// their slots.
func (p *places) free() int { return max(0, p.slots-len(p.running)) }

func (p *places) take(held *held, assignment *pb.Assignment, timeoutAt time.Time) *Execution {
	execution := &Execution{Assignment: assignment, held: held, timeoutAt: timeoutAt, index: len(p.running)}
	p.running = append(p.running, execution)
	return execution
}

// release frees the slot of a handler that has returned or will never be entered.
func (p *places) release(execution *Execution) {
	last := len(p.running) - 1
	p.running[execution.index] = p.running[last]
	p.running[execution.index].index = execution.index
	p.running[last] = nil
	p.running = p.running[:last]
}

// all returns a copy of the running handlers, for loops that release some of them.
func (p *places) all() []*Execution { return append([]*Execution(nil), p.running...) }
