// Package jaegerstorage replaces Jaeger's extension of that name: it has the storage in memory only, so that
// the clients of all the databases need not be built.
package jaegerstorage

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/jaegertracing/jaeger/internal/storage/v1"
	memoryconfig "github.com/jaegertracing/jaeger/internal/storage/v1/memory"
	"github.com/jaegertracing/jaeger/internal/storage/v2/api/tracestore"
	"github.com/jaegertracing/jaeger/internal/storage/v2/memory"
	"github.com/jaegertracing/jaeger/internal/telemetry"
)

// ID is what the other components look for.
var ID = component.MustNewID("jaeger_storage")

type config struct {
	Backends map[string]backend `mapstructure:"backends"`
}

type backend struct {
	Memory memoryconfig.Configuration `mapstructure:"memory"`
}

type stores struct {
	config    *config
	settings  component.TelemetrySettings
	factories map[string]tracestore.Factory
}

func NewFactory() extension.Factory {
	return extension.NewFactory(
		ID.Type(),
		func() component.Config { return &config{} },
		func(_ context.Context, set extension.Settings, from component.Config) (extension.Extension, error) {
			return &stores{from.(*config), set.TelemetrySettings, map[string]tracestore.Factory{}}, nil
		},
		component.StabilityLevelBeta,
	)
}

func (s *stores) Start(_ context.Context, host component.Host) error {
	for name, backend := range s.config.Backends {
		factory, err := memory.NewFactory(backend.Memory, telemetry.FromOtelComponent(s.settings, host))
		if err != nil {
			return fmt.Errorf("storage %q: %w", name, err)
		}
		s.factories[name] = factory
	}
	return nil
}

func (*stores) Shutdown(context.Context) error { return nil }

func GetTraceStoreFactory(name string, host component.Host) (tracestore.Factory, error) {
	if s, ok := host.GetExtensions()[ID].(*stores); ok && s.factories[name] != nil {
		return s.factories[name], nil
	}
	return nil, fmt.Errorf("%s has no storage %q", ID, name)
}

func GetMetricStorageFactory(name string, _ component.Host) (storage.MetricStoreFactory, error) {
	return nil, fmt.Errorf("this build has no storage of metrics, such as %q", name)
}
