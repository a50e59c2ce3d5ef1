package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// The settings of River's own benchmark.
const (
	riverWorkers      = 2_000
	riverCooldown     = 2 * time.Millisecond
	riverPollInterval = 20 * time.Millisecond
)

// Kind makes Work the arguments of a River job.
func (Work) Kind() string { return "work" }

type riverAdapter struct{}

type riverProducer struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
}

type riverWorker struct {
	river.WorkerDefaults[Work]
	handle Handler
}

func (w *riverWorker) Work(ctx context.Context, job *river.Job[Work]) error {
	w.handle(ctx, job.Args)
	return nil
}

// Timeout is disabled: a `hold` job runs until it is asked to stop.
func (w *riverWorker) Timeout(*river.Job[Work]) time.Duration { return -1 }

func (riverAdapter) Prepare(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (riverAdapter) Producer(ctx context.Context, url string) (Producer, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: quiet()})
	return &riverProducer{pool, client}, err
}

func (riverAdapter) Worker(ctx context.Context, url string, queues []string, handle Handler) (func(), error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{handle: handle})
	config := &river.Config{
		FetchCooldown:     riverCooldown,
		FetchPollInterval: riverPollInterval,
		Logger:            quiet(),
		Queues:            map[string]river.QueueConfig{},
		Workers:           workers,
	}
	for _, queue := range queues {
		config.Queues[queue] = river.QueueConfig{MaxWorkers: riverWorkers}
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		return nil, err
	}
	return func() { _ = client.StopAndCancel(ctx) }, client.Start(ctx)
}

func (p *riverProducer) SubmitMany(ctx context.Context, queue string, jobs []Work) ([]string, error) {
	opts := &river.InsertOpts{Queue: queue}
	if len(jobs) == 1 {
		inserted, err := p.client.Insert(ctx, jobs[0], opts)
		if err != nil {
			return nil, err
		}
		return []string{strconv.FormatInt(inserted.Job.ID, 10)}, nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		params[i] = river.InsertManyParams{Args: job, InsertOpts: opts}
	}
	_, err := p.client.InsertManyFast(ctx, params)
	return nil, err
}

func (p *riverProducer) Cancel(ctx context.Context, _, job string) error {
	id, err := strconv.ParseInt(job, 10, 64)
	if err != nil {
		return err
	}
	_, err = p.client.JobCancel(ctx, id)
	return err
}

func (p *riverProducer) Open(ctx context.Context, queues []string) (OpenJobs, error) {
	var found OpenJobs
	err := p.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE finalized_at IS NULL), count(*) FILTER (WHERE state = 'discarded')
		FROM river_job WHERE queue = ANY ($1)`, queues).Scan(&found.Open, &found.Failed)
	return found, err
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
