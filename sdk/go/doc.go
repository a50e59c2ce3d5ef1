// Package muster submits jobs to a Muster control plane and runs them.
//
// A [Client] submits jobs and follows them. A [Worker] runs jobs with handlers, which [Handle] registers, and applies the
// definitions of its jobs:
//
//	worker, err := muster.NewWorker(muster.WorkerOptions{
//		Address:     "127.0.0.1:7070",
//		Name:        "calculator",
//		Definitions: []*musterpb.JobDefinition{{Name: "add"}},
//	})
//	muster.Handle(worker, "add", func(ctx context.Context, in Numbers) (Sum, error) { ... })
//	err = worker.Run(ctx)
//
// Package musterpb has the whole public contract: its generated clients use the connection of [Client.Conn].
package muster
