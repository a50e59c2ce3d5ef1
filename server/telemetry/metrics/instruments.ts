/** Creates instruments from the catalogue. */
import type { BatchObservableCallback, Counter, Meter, Observable } from '@opentelemetry/api';
import type { MetricInfo } from './catalogue.ts';
import type { HistogramFamily, Histograms } from './histograms.ts';

export class Instruments {
  readonly #meter: Meter;
  readonly #histograms: Histograms;

  constructor(meter: Meter, histograms: Histograms) {
    this.#meter = meter;
    this.#histograms = histograms;
  }

  counter({ name, ...options }: MetricInfo): Counter {
    return this.#meter.createCounter(name, options);
  }

  histogram(info: MetricInfo): HistogramFamily {
    return this.#histograms.family(info);
  }

  gauge({ name, ...options }: MetricInfo): Observable {
    return this.#meter.createObservableGauge(name, options);
  }

  /** A counter whose value is kept elsewhere. */
  observedCounter({ name, ...options }: MetricInfo): Observable {
    return this.#meter.createObservableCounter(name, options);
  }

  /** Registers `read`, which is called when the metrics are read. */
  observe(observables: readonly Observable[], read: BatchObservableCallback): void {
    this.#meter.addBatchObservableCallback(read, [...observables]);
  }
}
