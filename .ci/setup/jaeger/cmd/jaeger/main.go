// Replaces Jaeger's main package: the components that the tests of traces use, without the rest that takes minutes to build.

package main

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/exporters/storageexporter"
	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/extension/jaegerquery"
	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/extension/jaegerstorage"
	"github.com/jaegertracing/jaeger/internal/version"
)

func main() {
	// The collector does not start without the one for the environment.
	providers := []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()}
	resolver := confmap.ResolverSettings{ProviderFactories: providers}
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo:              component.BuildInfo{Command: "jaeger", Description: "Jaeger for tests"},
		Factories:              factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: resolver},
	})
	command.AddCommand(version.Command())
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}

func factories() (otelcol.Factories, error) {
	storage, query := jaegerstorage.NewFactory(), jaegerquery.NewFactory()
	receive, export := otlpreceiver.NewFactory(), storageexporter.NewFactory()
	return otelcol.Factories{
		Extensions: map[component.Type]extension.Factory{storage.Type(): storage, query.Type(): query},
		Receivers:  map[component.Type]receiver.Factory{receive.Type(): receive},
		Exporters:  map[component.Type]exporter.Factory{export.Type(): export},
		Telemetry:  otelconftelemetry.NewFactory(),
	}, nil
}
