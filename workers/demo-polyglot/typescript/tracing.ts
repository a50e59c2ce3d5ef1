/** A program's set-up of OpenTelemetry, because of which the SDK makes spans. */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/**
 * Makes spans from now on and sends them, if `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
 *
 * @param service Name of the service, unless `OTEL_SERVICE_NAME` is set.
 * @returns A function that sends the last spans.
 */
export function startTracing(service: string): () => Promise<void> {
  const sends = Boolean(process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const ours = defaultResource().merge(resourceFromAttributes({ 'service.name': service }));
  const provider = new TracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: sends ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] : [],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return async () => {
    trace.disable();
    context.disable();
    await provider.shutdown();
  };
}
