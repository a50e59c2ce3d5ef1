/** The page for Prometheus: OpenTelemetry's metrics under the names of its rules for Prometheus. */
import { setImmediate } from 'node:timers/promises';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { type MetricData, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../../engine/ports/ports.ts';

/** Requests within this time get the same page. */
const KEPT_MS = 1_000;
/** Bound for the callbacks of gauges; each has its own bound, well below. */
const COLLECT_MS = 10_000;

/** Units with another name in Prometheus; counted things, in braces, have none. */
const unitNames: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** Appends the unit, as OpenTelemetry's rules for Prometheus require; the serializer adds a counter's suffix. */
function withUnit(metric: MetricData): MetricData {
  const { descriptor } = metric;
  const unit = unitNames[descriptor.unit] ?? '';
  const name = unit === '' ? descriptor.name : `${descriptor.name}_${unit}`;
  return { ...metric, descriptor: { ...descriptor, name, unit } };
}

/** The name of a metric in Prometheus; a histogram's series also end in `_bucket`, `_sum` and `_count`. */
export function prometheusName(info: { readonly name: string; readonly unit: string; readonly kind: string }): string {
  const unit = unitNames[info.unit];
  const name = info.name.replace(/[^a-zA-Z0-9]/g, '_');
  return `${name}${unit ? `_${unit}` : ''}${info.kind === 'counter' ? '_total' : ''}`;
}

/** Splits the metrics, so that each is serialized separately. */
function* separator({ scopeMetrics, ...all }: ResourceMetrics): Generator<ResourceMetrics> {
  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      if (metric.dataPoints.length > 0) yield { ...all, scopeMetrics: [{ scope, metrics: [withUnit(metric)] }] };
    }
  }
}

/** A reader that collects on demand. */
export class PageReader extends MetricReader {
  /** The first metric of a page is written with the resource's attributes, the others without. */
  readonly #first = new PrometheusSerializer(undefined, false, undefined, false, true);
  readonly #further = new PrometheusSerializer(undefined, false, undefined, true, true);

  protected async onShutdown(): Promise<void> {}

  protected async onForceFlush(): Promise<void> {}

  /** Writes one metric at a time and yields in between: all histograms together take a while. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.collect({ timeoutMillis: COLLECT_MS });
    const parts: string[] = [];
    for (const one of separator(resourceMetrics)) {
      parts.push((parts.length === 0 ? this.#first : this.#further).serialize(one));
      await setImmediate();
    }
    return parts.join('');
  }
}

/** The page in Prometheus' text format. */
export class MetricsPage {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #reader: Pick<PageReader, 'text'>;
  readonly #clock: Clock;
  #page: { until: number; readonly text: Promise<string> } | undefined;

  constructor(reader: Pick<PageReader, 'text'>, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** At most a second old. Concurrent requests share one page. */
  read(): Promise<string> {
    if (this.#page && this.#page.until > this.#clock.now()) return this.#page.text;
    const page = { until: Number.POSITIVE_INFINITY, text: this.#reader.text() };
    const made = () => {
      page.until = this.#clock.now() + KEPT_MS;
    };
    page.text.then(made, made);
    this.#page = page;
    return page.text;
  }
}
