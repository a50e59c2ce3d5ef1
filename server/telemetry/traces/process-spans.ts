/** Tracing of a program of ours that is no control plane: the spans that the SDK makes in it. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { checkProtocol, type Environment } from '../otel-environment.ts';
import { sendsSpans } from './settings.ts';

/**
 * Sends the spans of this process from now on where the standard variables of OpenTelemetry name a place for them. What is
 * kept is what the control plane keeps: a handler's span follows that of its attempt.
 *
 * @param service Name of the service, unless `OTEL_SERVICE_NAME` is set.
 * @returns What sends the last ones, in the time limit of the exporter.
 * @throws Error that names the variable that is wrong.
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
