/** An application's tracing inside the test's process: the real OpenTelemetry SDK, with spans kept in memory. */
import { type Attributes, context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

export interface TestTracing {
  /** Ended spans, oldest first. */
  readonly spans: readonly ReadableSpan[];
  /** Spans with the given name whose attributes match. */
  named(name: string, attributes?: Attributes): ReadableSpan[];
  /** Removes the tracing, as if the application had never traced. */
  stop(): Promise<void>;
}

/** Keeps spans of this process from now on. */
export function startTracing(): TestTracing {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const manager = new AsyncLocalStorageContextManager().enable();
  if (!trace.setGlobalTracerProvider(provider) || !context.setGlobalContextManager(manager))
    throw new Error('the process traces already');
  const fits = (span: ReadableSpan, attributes: Attributes) =>
    Object.entries(attributes).every(([name, value]) => span.attributes[name] === value);
  return {
    get spans() {
      return exporter.getFinishedSpans();
    },
    named: (name, attributes = {}) =>
      exporter.getFinishedSpans().filter((span) => span.name === name && fits(span, attributes)),
    async stop() {
      trace.disable();
      context.disable();
      await provider.shutdown();
    },
  };
}
