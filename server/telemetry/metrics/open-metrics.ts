/** A replica's metrics: the instruments, the page for Prometheus, and the export by OTLP. */
import { randomUUID } from 'node:crypto';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { CallMeter, Clock, Log, Timers } from '../../engine/ports/ports.ts';
import type { Store } from '../../engine/ports/store.ts';
import { type CacheMeter, cacheMeter } from './cache-meter.ts';
import { callMeter } from './call-meter.ts';
import { metrics } from './catalogue.ts';
import { type DeploymentParts, observeDeployment } from './deployment-gauges.ts';
import { Histograms } from './histograms.ts';
import { Instruments } from './instruments.ts';
import { JobMeter } from './job-meter.ts';
import { measureStore } from './measured-store.ts';
import { logDiagnostics, otlpReader, otlpSettings } from './otlp.ts';
import { MetricsPage, PageReader } from './prometheus.ts';
import { type RefusalMeter, refusalMeter } from './refusal-meter.ts';
import { observeReplica, type ReplicaParts } from './replica-gauges.ts';

/** Maximum wait for an export in progress when the replica stops. */
const STOP_MS = 2_000;

export interface MetricsOptions {
  readonly version: string;
  readonly protocolVersion: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Contains OpenTelemetry's variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Observed = Omit<DeploymentParts, 'clock' | 'timers' | 'log'> &
  Omit<ReplicaParts, 'version' | 'protocolVersion' | 'timers'>;

export interface Metrics {
  readonly calls: CallMeter;
  readonly queueFull: RefusalMeter;
  readonly cacheLookupMeter: CacheMeter;
  readonly page: MetricsPage;
  /** The store with measurements. `nowUs`: the database's clock, in microseconds. */
  measure(store: Store, nowUs: () => number): Store;
  /** Registers sources that are read when the metrics are read. */
  observe(observed: Observed): void;
  /** Exports unsent data, for at most 2 s. A second call waits for the first. */
  stop(): Promise<void>;
}

function resourceOf(version: string): Resource {
  const own = { 'service.name': 'muster', 'service.version': version, 'service.instance.id': randomUUID() };
  return resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
}

/** Throws an Error that names the variable of OpenTelemetry which asks for something unsupported. */
export function openMetrics(options: MetricsOptions): Metrics {
  const { version, protocolVersion, clock, timers, log, env } = options;
  const scope = { name: 'muster', version };
  const histograms = new Histograms(scope);
  const settings = otlpSettings(env);
  if (settings) logDiagnostics(log);
  const page = new PageReader({ metricProducers: [histograms] });
  const readers = settings ? [page, otlpReader(settings, [histograms])] : [page];
  const provider = new MeterProvider({ resource: resourceOf(version), readers });
  let stopped: Promise<void> | undefined;
  const instruments = new Instruments(provider.getMeter(scope.name, version), histograms);
  return {
    queueFull: refusalMeter(instruments.counter(metrics.submissionsRefused)),
    cacheLookupMeter: cacheMeter(instruments.counter(metrics.cacheLookups)),
    calls: callMeter(instruments.histogram(metrics.callDuration)),
    page: new MetricsPage(page, clock),
    measure: (store, nowUs) => measureStore(store, storeMeters(instruments, clock, nowUs)),
    observe(observed) {
      observeDeployment(instruments, { ...observed, clock, timers, log });
      observeReplica(instruments, { ...observed, version, protocolVersion, timers });
    },
    stop() {
      stopped ??= provider
        .shutdown({ timeoutMillis: STOP_MS })
        .catch((error) => log.warn({ error: String(error) }, 'the last metrics could not be sent'));
      return stopped;
    },
  };
}

function storeMeters(instruments: Instruments, clock: Clock, nowUs: () => number) {
  const jobs = {
    submitted: instruments.counter(metrics.jobsSubmitted),
    ended: instruments.counter(metrics.jobsEnded),
    exhausted: instruments.counter(metrics.jobsExhausted),
    late: instruments.counter(metrics.softDeadlinesMissed),
    sent: instruments.counter(metrics.assignmentsSent),
    refused: instruments.counter(metrics.assignmentsRefused),
    wait: instruments.histogram(metrics.jobWait),
    attempt: instruments.histogram(metrics.attemptDuration),
    life: instruments.histogram(metrics.jobDuration),
  };
  return {
    jobs: new JobMeter(jobs, nowUs),
    flushDuration: instruments.histogram(metrics.flushDuration),
    flushRows: instruments.histogram(metrics.flushRows),
    heartbeats: instruments.counter(metrics.heartbeats),
    lateReports: instruments.counter(metrics.lateReports),
    sessionsOpened: instruments.counter(metrics.sessionsOpened),
    sessionsClosed: instruments.counter(metrics.sessionsClosed),
    clock,
  };
}
