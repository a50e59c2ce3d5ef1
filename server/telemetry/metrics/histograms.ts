/**
 * Histograms whose label sets are looked up once instead of for each value: every job is recorded in three of them. The
 * SDK's own instruments sort and encode the labels of each value, which costs as much as everything else about a job
 * here. The values reach the SDK's readers as the data of a metric producer.
 */
import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type HistogramMetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { MetricInfo } from './catalogue.ts';

/** The values of one label set. */
export class Distribution {
  readonly #bounds: readonly number[];
  /** One more than bounds: the last counts values above all bounds. */
  readonly #counts: number[];
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  /** A negative value, which two clocks may yield for a short span, counts as 0. */
  record(value: number): void {
    const positive = Math.max(0, value);
    let bucket = 0;
    while (bucket < this.#bounds.length && positive > (this.#bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    this.#sum += positive;
    this.#min = Math.min(this.#min, positive);
    this.#max = Math.max(this.#max, positive);
  }

  /** A copy in the form of the SDK's exporters. */
  snapshot() {
    const buckets = { boundaries: [...this.#bounds], counts: [...this.#counts] };
    return { buckets, count: this.#count, sum: this.#sum, min: this.#min, max: this.#max };
  }
}

/** One metric: its distributions by label set. */
export class HistogramFamily {
  readonly #info: MetricInfo;
  readonly #series = new Map<string, { readonly attributes: Attributes; readonly distribution: Distribution }>();

  constructor(info: MetricInfo) {
    this.#info = info;
  }

  /** The distribution of these labels; callers that record often should keep it. */
  of(attributes: Attributes): Distribution {
    const key = JSON.stringify(attributes);
    let series = this.#series.get(key);
    if (!series) {
      series = { attributes, distribution: new Distribution(this.#info.buckets ?? []) };
      this.#series.set(key, series);
    }
    return series.distribution;
  }

  data(startTime: HrTime, endTime: HrTime): HistogramMetricData {
    const { name, unit, description } = this.#info;
    return {
      descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: Array.from(this.#series.values(), ({ attributes, distribution }) => ({
        startTime,
        endTime,
        attributes,
        value: distribution.snapshot(),
      })),
    };
  }
}

function hrTimeNow(): HrTime {
  const ms = Date.now();
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
}

/** All families, as a producer for the SDK's readers. */
export class Histograms implements MetricProducer {
  readonly #scope: { readonly name: string; readonly version: string };
  readonly #families: HistogramFamily[] = [];
  readonly #startTime = hrTimeNow();

  constructor(scope: { readonly name: string; readonly version: string }) {
    this.#scope = scope;
  }

  family(info: MetricInfo): HistogramFamily {
    const family = new HistogramFamily(info);
    this.#families.push(family);
    return family;
  }

  async collect(): Promise<CollectionResult> {
    const endTime = hrTimeNow();
    const all = this.#families.map((family) => family.data(this.#startTime, endTime));
    const metrics = all.filter(({ dataPoints }) => dataPoints.length > 0);
    // The reader replaces the empty resource by its own.
    const resourceMetrics = { resource: emptyResource(), scopeMetrics: [{ scope: this.#scope, metrics }] };
    return { resourceMetrics, errors: [] };
  }
}
