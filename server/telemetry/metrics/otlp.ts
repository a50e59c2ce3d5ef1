/** Exports the metrics by OTLP if OpenTelemetry's variables ask for it; without them nothing leaves the process. */
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { type MetricProducer, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { Log } from '../../engine/ports/ports.ts';
import { checkProtocol, type Environment, isDisabled } from '../otel-environment.ts';

export interface OtlpSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Exporters that need no action here: none, and Prometheus, whose page is always available. */
const served = ['none', 'prometheus'];

function milliseconds(env: Environment, name: string, usual: number): number {
  const text = env[name] || String(usual);
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} is "${text}"; it takes a number of milliseconds above 0, such as ${usual}`);
}

/**
 * Undefined: the metrics are not exported. Throws an Error that names the variable which asks for something
 * unsupported.
 */
export function otlpSettings(env: Environment): OtlpSettings | undefined {
  if (isDisabled(env)) return undefined;
  const endpoint = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const usual = endpoint ? 'otlp' : 'none';
  const exporters = (env.OTEL_METRICS_EXPORTER || usual).split(',').map((name) => name.trim());
  const unknown = exporters.find((name) => name !== 'otlp' && !served.includes(name));
  if (unknown !== undefined)
    throw new Error(
      `OTEL_METRICS_EXPORTER has "${unknown}"; there are otlp, prometheus (always there, at /metrics) and none`,
    );
  if (!exporters.includes('otlp')) return undefined;
  checkProtocol(env, 'METRICS', 'metrics');
  const intervalMs = milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const timeoutMs = milliseconds(env, 'OTEL_METRIC_EXPORT_TIMEOUT', Math.min(30_000, intervalMs));
  if (timeoutMs > intervalMs)
    throw new Error(
      `OTEL_METRIC_EXPORT_TIMEOUT is ${timeoutMs}; it must not be above OTEL_METRIC_EXPORT_INTERVAL, ${intervalMs}`,
    );
  return { intervalMs, timeoutMs };
}

/** The exporter itself reads endpoint, headers, certificates and compression from the environment. */
export function otlpReader(
  { intervalMs, timeoutMs }: OtlpSettings,
  producers: readonly MetricProducer[],
): PeriodicExportingMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: timeoutMs,
    metricProducers: [...producers],
  });
}

/** Writes OpenTelemetry's own diagnostics, such as a failed export, to our log. */
export function logDiagnostics(log: Log): void {
  const warn = (message: string) => log.warn({}, message);
  const error = (message: string) => log.error({}, message);
  const quiet = () => {};
  diag.setLogger(
    { error, warn, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
