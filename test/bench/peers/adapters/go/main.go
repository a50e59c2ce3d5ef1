// A process of a peer of the Go runtime: go-peers ADAPTER prepare|producer|worker URL QUEUE...
//
// It reads and writes the messages of ../../contract.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Work is the payload of every job.
type Work struct {
	What string  `json:"kind"`
	Sent float64 `json:"sent"`
	Ms   float64 `json:"ms"`
	Text string  `json:"text"`
}

// Producer is the interface of a peer for submissions.
type Producer interface {
	// SubmitMany stores the jobs, and returns their ids if the peer has them.
	SubmitMany(ctx context.Context, queue string, jobs []Work) ([]string, error)
	// Cancel asks a running job to stop.
	Cancel(ctx context.Context, queue, job string) error
	Open(ctx context.Context, queues []string) (OpenJobs, error)
}

// OpenJobs counts jobs in the peer's store.
type OpenJobs struct {
	Open   int `json:"open"`
	Failed int `json:"failed"`
}

// Handler runs a job until it is done or the context is cancelled.
type Handler func(ctx context.Context, work Work)

// Adapter is a peer.
type Adapter interface {
	Prepare(ctx context.Context, url string) error
	Producer(ctx context.Context, url string) (Producer, error)
	// Worker returns once it takes jobs, with a function that stops it gracefully.
	Worker(ctx context.Context, url string, queues []string, handle Handler) (func(), error)
}

var adapters = map[string]Adapter{"river": riverAdapter{}, "asynq": asynqAdapter{}}

var output sync.Mutex

// say writes a JSON object on one line.
func say(message any) {
	line, err := json.Marshal(message)
	fail(err)
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// now is in milliseconds since 1970.
func now() float64 { return float64(time.Now().UnixNano()) / 1e6 }

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// listen calls the listener with each line of stdin, and returns at its end.
func listen(listener func(line []byte)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		listener([]byte(lines.Text()))
	}
}

func main() {
	ctx := context.Background()
	name, role, url, queues := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	adapter := adapters[name]
	switch role {
	case "prepare":
		fail(adapter.Prepare(ctx, url))
	case "producer":
		producer, err := adapter.Producer(ctx, url)
		fail(err)
		say(map[string]string{"event": "ready"})
		listen(func(line []byte) { go reply(ctx, producer, line) })
	case "worker":
		stop, err := adapter.Worker(ctx, url, queues, countingHandler())
		fail(err)
		say(map[string]string{"event": "ready"})
		listen(func([]byte) {})
		stop()
	}
}
