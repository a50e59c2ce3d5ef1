package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// Maximum concurrent calls, and maximum jobs per call, of a steady submission.
const (
	steadyWidth = 8
	steadyBatch = 500
	tick        = 2 * time.Millisecond
)

type request struct {
	ID      int      `json:"id"`
	Do      string   `json:"do"`
	Queue   string   `json:"queue"`
	Kind    string   `json:"kind"`
	Ms      float64  `json:"ms"`
	Count   int      `json:"count"`
	Batch   int      `json:"batch"`
	Width   int      `json:"width"`
	Rate    float64  `json:"rate"`
	Seconds float64  `json:"seconds"`
	Job     string   `json:"job"`
	Queues  []string `json:"queues"`
}

// errorOnce keeps the first error of several goroutines.
type errorOnce struct {
	once sync.Once
	err  error
}

func (e *errorOnce) set(err error) {
	if err != nil {
		e.once.Do(func() { e.err = err })
	}
}

func (r request) work(sent float64) Work {
	return Work{What: r.Kind, Sent: sent, Ms: r.Ms, Text: "a job of some sixty bytes"}
}

func submitMany(ctx context.Context, producer Producer, r request) (any, error) {
	sizes := make(chan int, r.Count/r.Batch+1)
	for left := r.Count; left > 0; left -= r.Batch {
		sizes <- min(r.Batch, left)
	}
	close(sizes)
	var first errorOnce
	var lanes sync.WaitGroup
	for range r.Width {
		lanes.Go(func() {
			for size := range sizes {
				jobs := make([]Work, size)
				for i := range jobs {
					jobs[i] = r.work(now())
				}
				_, err := producer.SubmitMany(ctx, r.Queue, jobs)
				first.set(err)
			}
		})
	}
	lanes.Wait()
	return map[string]int{"submitted": r.Count}, first.err
}

// submitSteadily submits at every tick all jobs that have become due, as one call, unless too many calls are pending.
func submitSteadily(ctx context.Context, producer Producer, r request) (any, error) {
	total, submitted, start := int(r.Rate*r.Seconds+0.5), 0, now()
	var first errorOnce
	var calls sync.WaitGroup
	places := make(chan struct{}, steadyWidth)
	for ; submitted < total; time.Sleep(tick) {
		due := min(total, int((now()-start)/1000*r.Rate))
		for submitted < due && len(places) < steadyWidth {
			jobs := make([]Work, min(steadyBatch, due-submitted))
			for i := range jobs {
				jobs[i] = r.work(start + float64(submitted+i)/r.Rate*1000)
			}
			submitted += len(jobs)
			places <- struct{}{}
			calls.Go(func() {
				_, err := producer.SubmitMany(ctx, r.Queue, jobs)
				first.set(err)
				<-places
			})
		}
	}
	calls.Wait()
	return map[string]int{"submitted": submitted}, first.err
}

func submit(ctx context.Context, producer Producer, r request) (any, error) {
	sent := now()
	ids, err := producer.SubmitMany(ctx, r.Queue, []Work{r.work(sent)})
	if err != nil {
		return nil, err
	}
	return map[string]any{"job": ids[0], "sent": sent}, nil
}

func cancelJob(ctx context.Context, producer Producer, r request) (any, error) {
	sent := now()
	return map[string]float64{"sent": sent}, producer.Cancel(ctx, r.Queue, r.Job)
}

func answer(ctx context.Context, producer Producer, r request) (any, error) {
	switch r.Do {
	case "submitMany":
		return submitMany(ctx, producer, r)
	case "submitSteadily":
		return submitSteadily(ctx, producer, r)
	case "submit":
		return submit(ctx, producer, r)
	case "cancel":
		return cancelJob(ctx, producer, r)
	case "open":
		return producer.Open(ctx, r.Queues)
	}
	return nil, errors.New("unknown request " + r.Do)
}

// reply executes the request, and writes the reply.
func reply(ctx context.Context, producer Producer, line []byte) {
	var r request
	fail(json.Unmarshal(line, &r))
	ok, err := answer(ctx, producer, r)
	if err != nil {
		say(map[string]any{"id": r.ID, "error": err.Error()})
		return
	}
	say(map[string]any{"id": r.ID, "ok": ok})
}
