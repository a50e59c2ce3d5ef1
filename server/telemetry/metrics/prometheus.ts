/** The page that Prometheus reads: OpenTelemetry's metrics under the names that its rules for Prometheus give them. */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, type MetricData, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../../engine/ports.ts';

/** Who asks again within this time gets the same page. */
const KEPT_MS = 1_000;
/** For the callbacks of gauges: each has bounds of its own, well below. */
const COLLECT_MS = 10_000;

/** Units that have another name in Prometheus; what is counted, in braces, has none. */
const unitNames: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** As OpenTelemetry's rules for Prometheus have it: with the unit; the serializer adds what a counter ends in. */
function withUnit(metric: MetricData): MetricData {
  const { descriptor } = metric;
  const unit = unitNames[descriptor.unit] ?? '';
  const name = unit === '' ? descriptor.name : `${descriptor.name}_${unit}`;
  return { ...metric, descriptor: { ...descriptor, name, unit } };
}

/** The name under which Prometheus finds a metric; a histogram's series end in `_bucket`, `_sum` and `_count` besides. */
export function prometheusName(info: { readonly name: string; readonly unit: string; readonly kind: string }): string {
  const unit = unitNames[info.unit];
  const name = info.name.replace(/[^a-zA-Z0-9]/g, '_');
  return `${name}${unit ? `_${unit}` : ''}${info.kind === 'counter' ? '_total' : ''}`;
}

function named(all: ResourceMetrics): ResourceMetrics {
  const filled = ({ dataPoints }: MetricData) => dataPoints.length > 0;
  const scopeMetrics = all.scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics
      .filter((metric) => metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM && filled(metric))
      .map(withUnit),
  }));
  return { ...all, scopeMetrics };
}

/** Is read when somebody asks. */
export class PageReader extends MetricReader {
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  protected async onShutdown(): Promise<void> {}

  protected async onForceFlush(): Promise<void> {}

  async text(): Promise<string> {
    const { resourceMetrics } = await this.collect({ timeoutMillis: COLLECT_MS });
    return this.#serializer.serialize(named(resourceMetrics));
  }
}

/** In Prometheus' text format. */
export class MetricsPage {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #reader: PageReader;
  readonly #clock: Clock;
  #page: { readonly until: number; readonly text: Promise<string> } | undefined;

  constructor(reader: PageReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** At most a second old. */
  read(): Promise<string> {
    const now = this.#clock.now();
    if (!this.#page || this.#page.until <= now) this.#page = { until: now + KEPT_MS, text: this.#reader.text() };
    return this.#page.text;
  }
}
