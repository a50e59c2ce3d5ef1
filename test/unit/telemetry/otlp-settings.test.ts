/** OpenTelemetry's variables: metrics are sent only on request, and unsupported values are refused by name. */
import { describe, expect, it } from 'vitest';
import { otlpSettings } from '../../../server/telemetry/metrics/otlp.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const usual = { intervalMs: 60_000, timeoutMs: 30_000 };

describe('metrics are sent', () => {
  it.each([
    ['where an endpoint is named', endpoint],
    ['where one is named for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318/v1/metrics' }],
    ['where the exporter is named', { OTEL_METRICS_EXPORTER: 'otlp' }],
    ['where it is one of several', { OTEL_METRICS_EXPORTER: 'prometheus, otlp' }],
    ['by the protocol that there is', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }],
    [
      'whatever the protocol of others',
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf' },
    ],
  ])('%s', (_, env) => expect(otlpSettings(env)).toEqual(usual));

  it('at the configured interval', () => {
    expect(otlpSettings({ ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '500' })).toEqual({
      intervalMs: 500,
      timeoutMs: 500,
    });
  });
});

describe('nothing is sent', () => {
  it.each([
    ['by default', {}],
    ['with empty variables', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_METRICS_EXPORTER: '' }],
    ['where no exporter is wanted', { ...endpoint, OTEL_METRICS_EXPORTER: 'none' }],
    ['where Prometheus is', { ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }],
    ['where all is switched off', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
  ])('%s', (_, env) => expect(otlpSettings(env)).toBeUndefined());
});

it.each([
  ['OTEL_METRICS_EXPORTER has "console"', { OTEL_METRICS_EXPORTER: 'console' }],
  ['OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ['OTEL_METRIC_EXPORT_INTERVAL is "often"', { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: 'often' }],
  ['OTEL_METRIC_EXPORT_INTERVAL is "-1"', { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '-1' }],
  [
    'OTEL_METRIC_EXPORT_TIMEOUT is 9000',
    { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '500', OTEL_METRIC_EXPORT_TIMEOUT: '9000' },
  ],
])('the OTLP settings are refused: %s', (message, env) => expect(() => otlpSettings(env)).toThrow(message));
