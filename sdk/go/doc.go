// Package muster submits jobs to a Muster control plane and runs them.
//
// A [Client] submits jobs and follows them. A [Worker] runs them with handlers, which [Handle] registers:
//
//	worker, err := muster.NewWorker(muster.WorkerOptions{Address: "127.0.0.1:7070", Name: "calculator"})
//	muster.Handle(worker, "add", func(ctx context.Context, in Numbers) (Sum, error) { ... })
//	err = worker.Run(ctx)
//
// The whole contract is in package musterpb: [Client.Conn] is a connection for its generated clients.
package muster
