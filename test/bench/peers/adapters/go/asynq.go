package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

// Asynq has no call for many tasks: several goroutines enqueue the tasks of a call. An idle server polls for tasks at
// this interval; its default of 1 s would be most of the latency.
const (
	asynqEnqueuers   = 16
	asynqConcurrency = 100
	asynqInterval    = 10 * time.Millisecond
)

type asynqAdapter struct{}

type asynqProducer struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

func (asynqAdapter) Prepare(context.Context, string) error { return nil }

func (asynqAdapter) Producer(_ context.Context, url string) (Producer, error) {
	connection, err := asynq.ParseRedisURI(url)
	if err != nil {
		return nil, err
	}
	return &asynqProducer{asynq.NewClient(connection), asynq.NewInspector(connection)}, nil
}

// Worker starts one server per queue, so that each has slots of its own.
func (asynqAdapter) Worker(_ context.Context, url string, queues []string, handle Handler) (func(), error) {
	connection, err := asynq.ParseRedisURI(url)
	if err != nil {
		return nil, err
	}
	var servers []*asynq.Server
	for _, queue := range queues {
		server := asynq.NewServer(connection, asynq.Config{
			Concurrency:       asynqConcurrency,
			Queues:            map[string]int{queue: 1},
			TaskCheckInterval: asynqInterval,
			LogLevel:          asynq.FatalLevel,
			ShutdownTimeout:   time.Second,
		})
		run := func(ctx context.Context, task *asynq.Task) error {
			var work Work
			if err := json.Unmarshal(task.Payload(), &work); err != nil {
				return err
			}
			handle(ctx, work)
			return nil
		}
		if err := server.Start(asynq.HandlerFunc(run)); err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	return func() {
		for _, server := range servers {
			server.Shutdown()
		}
	}, nil
}

func (p *asynqProducer) SubmitMany(ctx context.Context, queue string, jobs []Work) ([]string, error) {
	ids := make([]string, len(jobs))
	next := make(chan int, len(jobs))
	for i := range jobs {
		next <- i
	}
	close(next)
	var first errorOnce
	var enqueuers sync.WaitGroup
	for range min(asynqEnqueuers, len(jobs)) {
		enqueuers.Go(func() {
			for i := range next {
				id, err := p.enqueue(ctx, queue, jobs[i])
				first.set(err)
				ids[i] = id
			}
		})
	}
	enqueuers.Wait()
	return ids, first.err
}

func (p *asynqProducer) enqueue(ctx context.Context, queue string, job Work) (string, error) {
	payload, err := json.Marshal(job)
	if err != nil {
		return "", err
	}
	info, err := p.client.EnqueueContext(ctx, asynq.NewTask("work", payload), asynq.Queue(queue), asynq.Timeout(time.Hour))
	if err != nil {
		return "", err
	}
	return info.ID, nil
}

func (p *asynqProducer) Cancel(_ context.Context, _, job string) error {
	return p.inspector.CancelProcessing(job)
}

func (p *asynqProducer) Open(_ context.Context, queues []string) (OpenJobs, error) {
	var found OpenJobs
	for _, queue := range queues {
		info, err := p.inspector.GetQueueInfo(queue)
		if errors.Is(err, asynq.ErrQueueNotFound) {
			continue
		}
		if err != nil {
			return found, err
		}
		found.Open += info.Pending + info.Active + info.Scheduled + info.Retry
		found.Failed += info.Archived
	}
	return found, nil
}
