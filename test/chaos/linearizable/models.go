package main

import "github.com/anishathalye/porcupine"

// models says what may happen to an object of each kind. An answer of nil is not known.
var models = map[string]porcupine.Model{
	"job":   job.ToModel(),
	"key":   key.ToModel(),
	"queue": queue.ToModel(),
}

// queue is paused or not.
var queue = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{false} },
	Step: func(state, input, output interface{}) []interface{} {
		paused, pause, got := state.(bool), input == "pause", output.(*answer)
		switch {
		case got == nil:
			return []interface{}{paused, pause}
		case got.Refusal != "":
			return nil
		case input == "read":
			return when(paused == (got.Value == "paused"), paused)
		default:
			return []interface{}{pause}
		}
	},
}

// unnamed is the job of a key whose id nobody has seen yet.
const unnamed = "?"

// key has no job at first, and then one for ever.
var key = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{""} },
	Step: func(state, _, output interface{}) []interface{} {
		owner, got := state.(string), output.(*answer)
		switch {
		case got == nil && owner == "":
			return []interface{}{owner, unnamed}
		case got == nil:
			return []interface{}{owner}
		case got.Refusal != "" || got.Existing == (owner == ""):
			return nil
		default:
			return when(owner == "" || owner == unnamed || owner == got.Value, got.Value)
		}
	},
}

func when(holds bool, next interface{}) []interface{} {
	if !holds {
		return nil
	}
	return []interface{}{next}
}
