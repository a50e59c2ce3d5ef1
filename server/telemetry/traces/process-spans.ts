/** Tracing for programs other than the control plane: exports the spans that the SDK creates. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { checkProtocol, type Environment } from '../otel-environment.ts';
import { sendsSpans } from './settings.ts';

/**
 * From now on exports the spans of this process, if OpenTelemetry's standard variables set an endpoint. The sampling is
 * the control plane's: a handler's span follows that of its attempt.
 *
 * @param service Name of the service, unless `OTEL_SERVICE_NAME` is set.
 * @returns A function that exports the last spans, within the exporter's timeout.
 * @throws Error that names the invalid variable.
 */
export function startTracing(env: Environment, service: string): () => Promise<void> {
  if (!sendsSpans(env)) return async () => {};
  checkProtocol(env, 'TRACES', 'spans');
  const ours = defaultResource().merge(resourceFromAttributes({ 'service.name': service }));
  const provider = new TracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  trace.setGlobalTracerProvider(provider);
  return async () => {
    trace.disable();
    await provider.shutdown();
  };
}
