package core

import (
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

// Execution is a handler that was handed its attempt and has not returned yet.
type Execution struct {
	// Assignment is what it works on. It never changes.
	Assignment *pb.Assignment

	// stop signals the handler.
	stop func(StopReason)
	// index is its place among those that run.
	index int
	// timeoutAt is when its run timeout is reached.
	timeoutAt time.Time
	// extension is what of it the handler has asked for beyond its run timeout.
	extension time.Duration
	// graceAt: after the signal of the run timeout, when it is reported even though the handler has not returned.
	graceAt time.Time
	// stopped is the first reason that it was told; empty: none.
	stopped StopReason
	// entered: the handler was called. withdrawn: it never will be.
	entered, withdrawn bool
	// held is the attempt that it works for; nil once that was given up: what the handler then returns is dropped.
	held *held
}

// signal tells the handler to stop, unless it was told before.
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

// withdraw takes the attempt back if its handler has not been entered. True: it has not been and never will be.
func (e *Execution) withdraw() bool {
	e.withdrawn = !e.entered
	return e.withdrawn
}

// places are those in which handlers run. They belong to the worker and outlive its sessions.
type places struct {
	slots   int
	running []*Execution
}

// free is how many more handlers may be started; those that were told to stop and have not returned still have theirs.
func (p *places) free() int { return max(0, p.slots-len(p.running)) }

func (p *places) take(held *held, assignment *pb.Assignment, timeoutAt time.Time) *Execution {
	execution := &Execution{Assignment: assignment, held: held, timeoutAt: timeoutAt, index: len(p.running)}
	p.running = append(p.running, execution)
	return execution
}

// release is for a handler that has returned, or never will be entered.
func (p *places) release(execution *Execution) {
	last := len(p.running) - 1
	p.running[execution.index] = p.running[last]
	p.running[execution.index].index = execution.index
	p.running[last] = nil
	p.running = p.running[:last]
}

// all gives those that run, for loops that release some of them.
func (p *places) all() []*Execution { return append([]*Execution(nil), p.running...) }
