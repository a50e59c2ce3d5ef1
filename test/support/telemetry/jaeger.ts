/** A real Jaeger on free ports, with its traces in memory, and its query API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithParent } from '../../../server/bus/server-binary.ts';
import { eventually } from '../base/eventually.ts';
import { freePort } from '../databases/postgres.ts';

const START_MS = 60_000;
const CALL_MS = 20_000;

export interface SpanRef {
  readonly traceId: string;
  readonly spanId: string;
}

export interface JaegerSpan extends SpanRef {
  readonly name: string;
  readonly service: string;
  /** Attributes that identify the source: `telemetry.sdk.language` and the like. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** The parent in the same trace; undefined for the root. */
  readonly parentSpanId: string | undefined;
  readonly links: readonly SpanRef[];
  readonly tags: Readonly<Record<string, unknown>>;
  readonly startTimeUs: number;
  readonly durationUs: number;
  /** Problems that Jaeger itself reports for the span. */
  readonly warnings: readonly string[];
}

export interface Jaeger {
  /** The address for spans, as in `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  /** Every span of the trace that has arrived; empty when there is no such trace yet. */
  trace(traceId: string): Promise<JaegerSpan[]>;
  stop(): Promise<void>;
}

function configuration(ports: Readonly<Record<'otlp' | 'http' | 'grpc', number>>): object {
  const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
      jaeger_query: { storage: { traces: 'memory' }, http: at(ports.http), grpc: at(ports.grpc) },
    },
    receivers: { otlp: { protocols: { http: at(ports.otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
}

/** @throws Error with the output, when Jaeger does not answer in time. */
export async function startJaeger(): Promise<Jaeger> {
  const [otlp, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'muster-jaeger-'));
  const file = join(folder, 'jaeger.yaml');
  // JSON is YAML, too.
  await writeFile(file, JSON.stringify(configuration({ otlp, http, grpc })));
  const [command = 'jaeger', ...words] = [...(await dieWithParent()), 'jaeger', '--config', file];
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  child.on('error', (error) => {
    said += error.message;
  });
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-8_000);
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const call = (path: string) => fetch(`http://127.0.0.1:${http}${path}`, { signal: AbortSignal.timeout(CALL_MS) });
  try {
    await eventually('Jaeger answers', async () => (await call('/api/services')).ok, {
      timeoutMs: START_MS,
      everyMs: 50,
    });
  } catch (error) {
    await stop();
    throw new Error(`Jaeger does not start:\n${said}`, { cause: error });
  }
  return { endpoint: `http://127.0.0.1:${otlp}`, trace: (traceId) => readTrace(call, traceId), stop };
}

interface ReadSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

interface ReadTrace {
  readonly spans: readonly ReadSpan[];
  readonly processes: Readonly<Record<string, ReadProcess>>;
}

interface ReadProcess {
  readonly serviceName: string;
  readonly tags?: ReadSpan['tags'];
}

const NOBODY: ReadProcess = { serviceName: '' };

async function readTrace(call: (path: string) => Promise<Response>, traceId: string): Promise<JaegerSpan[]> {
  const response = await call(`/api/traces/${traceId}`);
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`Jaeger answers ${response.status}: ${await response.text()}`);
  const { data } = (await response.json()) as { data: readonly ReadTrace[] };
  return data.flatMap(({ spans, processes }) =>
    spans.map((span) => jaegerSpan(span, processes[span.processID] ?? NOBODY)),
  );
}

function jaegerSpan(span: ReadSpan, { serviceName, tags = [] }: ReadProcess): JaegerSpan {
  const refs = span.references.map(({ refType, traceID, spanID }) => ({ refType, traceId: traceID, spanId: spanID }));
  const [parent] = refs.filter(({ refType, traceId }) => refType === 'CHILD_OF' && traceId === span.traceID);
  return {
    traceId: span.traceID,
    spanId: span.spanID,
    name: span.operationName,
    service: serviceName,
    resource: valuesOf(tags),
    parentSpanId: parent?.spanId,
    links: refs.filter(({ refType }) => refType === 'FOLLOWS_FROM').map(({ traceId, spanId }) => ({ traceId, spanId })),
    tags: valuesOf(span.tags),
    startTimeUs: span.startTime,
    durationUs: span.duration,
    warnings: span.warnings ?? [],
  };
}

function valuesOf(tags: ReadSpan['tags']): Record<string, unknown> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
