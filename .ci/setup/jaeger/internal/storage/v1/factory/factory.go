// Package factory replaces the one of Jaeger 1, which imports the clients of all the databases: of it, Jaeger 2 uses a type only.
package factory

import "github.com/jaegertracing/jaeger/internal/storage/v1/api/spanstore"

type ArchiveStorage struct {
	Reader spanstore.Reader
	Writer spanstore.Writer
}
