package muster_test

import (
	"context"
	"fmt"
	"log"

	muster "github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

type Numbers struct {
	A int `json:"a"`
	B int `json:"b"`
}

// A worker that applies the definition of its job, and a client that submits one. The control plane runs already.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	worker, err := muster.NewWorker(muster.WorkerOptions{
		Address:     "127.0.0.1:7070",
		Name:        "calculator",
		Definitions: []*pb.JobDefinition{{Name: "add"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	muster.Handle(worker, "add", func(ctx context.Context, in Numbers) (int, error) {
		return in.A + in.B, nil
	})
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()
	<-worker.Ready()

	client, err := muster.NewClient(muster.ClientOptions{Address: "127.0.0.1:7070"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	job, err := client.Submit(ctx, "add", Numbers{1, 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(muster.Result[int](ctx, client, job.JobID))

	stop()
	fmt.Println(<-ended)
}
