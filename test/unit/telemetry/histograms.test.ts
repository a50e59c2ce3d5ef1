/** Histograms as the readers of the OpenTelemetry SDK get them. */
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MetricInfo } from '../../../server/telemetry/metrics/catalogue.ts';
import { Distribution, Histograms } from '../../../server/telemetry/metrics/histograms.ts';
import { PageReader } from '../../../server/telemetry/metrics/prometheus.ts';

const info = {
  name: 'some.wait.duration',
  kind: 'histogram',
  unit: 's',
  labels: ['a.b'],
  description: 'Some wait',
  buckets: [1, 10],
} satisfies MetricInfo;

it('a histogram puts each value into the bucket below the next bound, with a total over all values', () => {
  const bounds = [0.5, 1, 10];
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 20, noNaN: true })), (values) => {
      const distribution = new Distribution(bounds);
      for (const value of values) distribution.record(value);
      const positive = values.map((value) => Math.max(0, value));
      const below = [...bounds, Number.POSITIVE_INFINITY].map((bound) => positive.filter((v) => v <= bound).length);
      const { buckets, count, sum } = distribution.snapshot();
      expect(buckets.counts).toEqual(below.map((n, i) => n - (below[i - 1] ?? 0)));
      expect(count).toBe(values.length);
      expect(sum).toBeCloseTo(
        positive.reduce((all, value) => all + value, 0),
        6,
      );
    }),
  );
});

it('a histogram is exported for Prometheus with its unit, one series per set of labels', async () => {
  const histograms = new Histograms({ name: 'test', version: '1' });
  const family = histograms.family(info);
  const reader = new PageReader({ metricProducers: [histograms] });
  const provider = new MeterProvider({ readers: [reader] });
  family.of({ 'a.b': 'x' }).record(1);
  family.of({ 'a.b': 'x' }).record(7);
  family.of({ 'a.b': 'y"\\' }).record(70);
  const lines = (await reader.text()).split('\n').filter((line) => line.includes('some_wait'));
  expect(lines).toEqual([
    '# HELP some_wait_duration_seconds Some wait',
    '# UNIT some_wait_duration_seconds seconds',
    '# TYPE some_wait_duration_seconds histogram',
    'some_wait_duration_seconds_count{a_b="x"} 2',
    'some_wait_duration_seconds_sum{a_b="x"} 8',
    'some_wait_duration_seconds_bucket{a_b="x",le="1"} 1',
    'some_wait_duration_seconds_bucket{a_b="x",le="10"} 2',
    'some_wait_duration_seconds_bucket{a_b="x",le="+Inf"} 2',
    'some_wait_duration_seconds_count{a_b="y\\"\\\\"} 1',
    'some_wait_duration_seconds_sum{a_b="y\\"\\\\"} 70',
    'some_wait_duration_seconds_bucket{a_b="y\\"\\\\",le="1"} 0',
    'some_wait_duration_seconds_bucket{a_b="y\\"\\\\",le="10"} 0',
    'some_wait_duration_seconds_bucket{a_b="y\\"\\\\",le="+Inf"} 1',
  ]);
  await provider.shutdown();
});
