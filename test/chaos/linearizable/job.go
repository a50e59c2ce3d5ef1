package main

import (
	"slices"

	"github.com/anishathalye/porcupine"
)

// life is what is known of a job.
type life struct {
	state string
	// Number of its attempts.
	attempt int
	// Whether there may be more of them.
	orMore bool
}

// byItself lists the states into which a job without dependencies and children goes without a client.
var byItself = map[string][]string{
	"SCHEDULED":  {"READY"},
	"READY":      {"ASSIGNED"},
	"ASSIGNED":   {"RUNNING", "READY", "SCHEDULED", "SUCCEEDED", "FAILED"},
	"RUNNING":    {"READY", "SCHEDULED", "SUCCEEDED", "FAILED"},
	"CANCELLING": {"CANCELLED", "SUCCEEDED"},
}

// byCall lists the states into which a call brings it. A resume of any other open job, and a repeated cancel or pause,
// change nothing.
var byCall = map[string]map[string][]string{
	"cancel": {
		"SCHEDULED":  {"CANCELLED"},
		"READY":      {"CANCELLED"},
		"PAUSED":     {"CANCELLED"},
		"ASSIGNED":   {"CANCELLING"},
		"RUNNING":    {"CANCELLING"},
		"CANCELLING": {"CANCELLING"},
		"CANCELLED":  {"CANCELLED"},
	},
	"pause": {
		"SCHEDULED": {"PAUSED"},
		"READY":     {"PAUSED"},
		"PAUSED":    {"PAUSED"},
	},
	"resume": {
		"SCHEDULED":  {"SCHEDULED"},
		"READY":      {"READY"},
		"PAUSED":     {"READY", "SCHEDULED"},
		"ASSIGNED":   {"ASSIGNED"},
		"RUNNING":    {"RUNNING"},
		"CANCELLING": {"CANCELLING"},
	},
}

var (
	ended  = []string{"SUCCEEDED", "FAILED", "CANCELLED"}
	leased = []string{"ASSIGNED", "RUNNING", "CANCELLING"}
)

var job = porcupine.NondeterministicModel{
	Init: func() []interface{} {
		return []interface{}{life{state: "SCHEDULED"}, life{state: "READY"}}
	},
	Step: func(state, input, output interface{}) []interface{} {
		var next []interface{}
		for _, before := range reachable(state.(life)) {
			for _, after := range changed(before, input.(string), output.(*answer)) {
				if !slices.Contains(next, interface{}(after)) {
					next = append(next, after)
				}
			}
		}
		return next
	},
}

// reachable lists what the job may have become by itself.
func reachable(now life) []life {
	found := []life{now}
	for i := 0; i < len(found); i++ {
		for _, state := range byItself[found[i].state] {
			next := life{state, found[i].attempt, found[i].orMore}
			if state == "ASSIGNED" {
				next.attempt++
			}
			fewer := func(one life) bool { return one.state == state && one.attempt < next.attempt }
			// It has been round once, and may go round again.
			next.orMore = next.orMore || slices.ContainsFunc(found, fewer)
			same := func(one life) bool { return one.state == state && one.orMore == next.orMore }
			if !slices.ContainsFunc(found, same) {
				found = append(found, next)
			}
		}
	}
	return found
}

// changed lists what the job may be after a call with that answer; nothing: that answer can not be.
func changed(before life, op string, got *answer) []life {
	switch {
	case got == nil:
		return append(called(before, op), before)
	case got.Refusal == "" && op == "read":
		return seen(before, got)
	case got.Refusal == "":
		return called(before, op)
	case got.Refusal == "JOB_NOT_WAITING" && op == "pause" && slices.Contains(leased, before.state):
		return []life{before}
	case got.Refusal == "JOB_ENDED" && op == "cancel" && before.state == "CANCELLED":
		return nil
	case got.Refusal == "JOB_ENDED" && slices.Contains(ended, before.state):
		return []life{before}
	}
	return nil
}

func called(before life, op string) []life {
	var after []life
	for _, state := range byCall[op][before.state] {
		after = append(after, life{state, before.attempt, before.orMore})
	}
	return after
}

func seen(before life, got *answer) []life {
	isAttempt := got.Attempt == before.attempt || before.orMore && got.Attempt > before.attempt
	if got.Value != before.state || !isAttempt {
		return nil
	}
	return []life{{state: got.Value, attempt: got.Attempt}}
}
