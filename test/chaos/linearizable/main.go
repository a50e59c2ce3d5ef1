// Command linearizable reads what clients saw, and checks each object by itself: whether all of its operations can have
// happened one after the other, each at one moment between its call and its answer. An operation without an answer may
// have happened at any moment since its call, or never.
//
// The history comes from standard input, one operation a line; the verdicts go to standard output as one line. The exit
// code is 0, whatever they are.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// operation is one call of a client. Times are from one clock, in any unit.
type operation struct {
	// The object is of a kind: "job", "queue" or "key".
	Kind   string `json:"kind"`
	Object string `json:"object"`
	Client int    `json:"client"`
	Op     string `json:"op"`
	Call   int64  `json:"call"`
	// Absent: there was no answer.
	Return *int64  `json:"return"`
	Answer *answer `json:"answer"`
}

// answer is what the client got.
type answer struct {
	// State of a job, "paused" or "active" for a queue, or the id of a key's job.
	Value string `json:"value"`
	// Number of the job's last attempt.
	Attempt int `json:"attempt"`
	// Whether a key had its job before.
	Existing bool `json:"existing"`
	// Reason of a refusal, or "".
	Refusal string `json:"refusal"`
}

type verdict struct {
	// Number of objects whose operations can have happened in an order.
	Linearizable int `json:"linearizable"`
	// Objects of which the time did not suffice to know.
	Unknown []string `json:"unknown"`
	// Objects whose operations can not have happened in any order.
	Broken     []string `json:"broken"`
	Operations int      `json:"operations"`
	Open       int      `json:"open"`
}

func main() {
	total := flag.Duration("total", time.Minute, "time for all objects")
	each := flag.Duration("each", 10*time.Second, "time for one object")
	flag.Parse()
	verdicts, err := check(os.Stdin, *total, *each)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(verdicts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check returns the verdicts by kind.
func check(input io.Reader, total, each time.Duration) (map[string]*verdict, error) {
	histories, err := read(input)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(total)
	verdicts := map[string]*verdict{}
	for _, object := range sorted(histories) {
		history := histories[object]
		kind := history[0].Kind
		model, known := models[kind]
		if !known {
			return nil, fmt.Errorf("%s is of the unknown kind %q", object, kind)
		}
		if verdicts[kind] == nil {
			verdicts[kind] = &verdict{Unknown: []string{}, Broken: []string{}}
		}
		verdicts[kind].judge(object, model, history, min(each, time.Until(deadline)))
	}
	return verdicts, nil
}

func read(input io.Reader) (map[string][]operation, error) {
	histories := map[string][]operation{}
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one operation
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%w: %s", err, lines.Text())
		}
		object := one.Kind + " " + one.Object
		histories[object] = append(histories[object], one)
	}
	return histories, lines.Err()
}

func sorted(histories map[string][]operation) []string {
	names := make([]string, 0, len(histories))
	for name := range histories {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (v *verdict) judge(object string, model porcupine.Model, history []operation, patience time.Duration) {
	steps := make([]porcupine.Operation, 0, len(history))
	for _, one := range history {
		v.Operations++
		if one.Answer == nil || one.Return == nil {
			v.Open++
			one.Answer, one.Return = nil, nil
		}
		steps = append(steps, stepsOf(one)...)
	}
	// A timeout of 0 would be none.
	if patience <= 0 {
		v.Unknown = append(v.Unknown, object)
		return
	}
	switch porcupine.CheckOperationsTimeout(model, steps, patience) {
	case porcupine.Ok:
		v.Linearizable++
	case porcupine.Illegal:
		v.Broken = append(v.Broken, object)
	default:
		v.Unknown = append(v.Unknown, object)
	}
}

// stepsOf splits a change of a job: first it is done, and later the job is read for the answer.
func stepsOf(one operation) []porcupine.Operation {
	step := func(name string, end int64) porcupine.Operation {
		return porcupine.Operation{ClientId: one.Client, Input: name, Call: one.Call, Output: one.Answer, Return: end}
	}
	if one.Return == nil {
		return []porcupine.Operation{step(one.Op, math.MaxInt64)}
	}
	steps := []porcupine.Operation{step(one.Op, *one.Return)}
	if one.Kind == "job" && one.Op != "read" && one.Answer.Refusal == "" {
		steps = append(steps, step("read", *one.Return))
	}
	return steps
}
