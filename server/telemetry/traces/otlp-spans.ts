/** Exports the control plane's spans over OTLP, as OpenTelemetry's standard variables say. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { SpanExporter as OtelExporter } from '@opentelemetry/sdk-trace';
import type { JobSpan } from '../../domain/events/job-spans.ts';
import type { Clock, Log, SpanExporter, Tracing } from '../../engine/ports/ports.ts';
import { checkProtocol, type Environment } from '../otel-environment.ts';
import { readableSpan, type SpanSource } from './readable-span.ts';
import { samplingOf, sendsSpans } from './settings.ts';

/** Maximum spans per message. */
const SPANS_PER_MESSAGE = 2_000;
/** Pause after a failed export: events wait for their spans, and must not wait for each of them. */
const PAUSE_MS = 30_000;

export interface OpenTracing extends Tracing {
  stop(): Promise<void>;
}

interface Parts {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

/**
 * Undefined if no endpoint is set.
 *
 * @throws Error that names the invalid variable.
 */
export function openTracing(env: Environment, { clock, log, version }: Parts): OpenTracing | undefined {
  if (!sendsSpans(env)) return undefined;
  checkProtocol(env, 'TRACES', 'spans');
  const sampling = samplingOf(env);
  // The exporter itself reads endpoint, headers, certificates, compression and timeout.
  const otlp = new OTLPTraceExporter();
  const exporter = new BoundedExporter(otlp, sourceOf(version), { clock, log });
  return { sampling, exporter, stop: () => otlp.shutdown() };
}

/** Equal for all replicas, so it names no instance and no host: spans that two replicas send must be equal. */
function sourceOf(version: string): SpanSource {
  const ours = resourceFromAttributes({ 'service.name': 'muster', 'service.version': version });
  const resource = ours.merge(detectResources({ detectors: [envDetector] }));
  return { resource, scope: { name: 'muster', version } };
}

export class BoundedExporter implements SpanExporter {
  readonly #otlp: OtelExporter;
  readonly #source: SpanSource;
  readonly #clock: Clock;
  readonly #log: Log;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  /** Since the last successful export. */
  #dropped = 0;

  constructor(otlp: OtelExporter, source: SpanSource, { clock, log }: Pick<Parts, 'clock' | 'log'>) {
    this.#otlp = otlp;
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
  }

  async export(spans: readonly JobSpan[]): Promise<void> {
    for (let at = 0; at < spans.length; at += SPANS_PER_MESSAGE)
      await this.#send(spans.slice(at, at + SPANS_PER_MESSAGE));
  }

  async #send(spans: readonly JobSpan[]): Promise<void> {
    if (this.#clock.now() < this.#pausedUntil) {
      this.#dropped += spans.length;
      return;
    }
    const error = await this.#try(spans);
    if (error === undefined) {
      if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'spans are taken again; some were dropped');
      this.#dropped = 0;
      return;
    }
    this.#dropped += spans.length;
    this.#pausedUntil = this.#clock.now() + PAUSE_MS;
    this.#log.warn(
      { error, pauseMs: PAUSE_MS },
      'spans are not taken and are dropped: look at the OTEL_EXPORTER_OTLP_* settings',
    );
  }

  /** The error, if any. The exporter retries where allowed, within its own timeout. */
  #try(spans: readonly JobSpan[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      const readable = spans.map((span) => readableSpan(span, this.#source));
      this.#otlp.export(readable, ({ error, code }) =>
        resolve(code === 0 ? undefined : String(error ?? 'no reason given')),
      );
    });
  }
}
