/** The span of a submission. Its context is passed to the jobs. */
import type { Attributes, Span } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Code, MusterError } from '../error.ts';
import { activeTracer, messagingAttributes, type TraceFields, traceFields } from './tracer.ts';

/** Attributes of a submission. */
export interface Submitting {
  /** gRPC target of the control plane. */
  readonly address: string;
  /** Empty: the default namespace. */
  readonly namespace: string;
  /** One per job. */
  readonly definitions: readonly string[];
}

/**
 * Calls `submit` in a span, if the application traces, and returns its result.
 *
 * @param submit Receives the trace context for the call's metadata; `undefined`: none.
 */
export async function inSubmitSpan<T extends { readonly jobId: string }>(
  what: Submitting,
  submit: (trace: TraceFields | undefined) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const tracer = activeTracer();
  if (tracer === undefined) return submit(undefined);
  const destination = sameName(what.definitions);
  const name = destination === undefined ? 'submit' : `submit ${destination}`;
  const span = tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes: attributesOf(what, destination) });
  try {
    const jobs = await submit(traceFields(span.spanContext()));
    const [job] = jobs;
    if (job !== undefined && jobs.length === 1) span.setAttribute('messaging.message.id', job.jobId);
    return jobs;
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Span names need low cardinality: the name has the definition only if all jobs share it. */
function sameName(names: readonly string[]): string | undefined {
  const [first] = names;
  return names.every((name) => name === first) ? first : undefined;
}

function attributesOf({ address, namespace, definitions }: Submitting, destination: string | undefined): Attributes {
  return {
    ...messagingAttributes(namespace, destination),
    ...serverAttributes(address),
    'messaging.operation.name': 'submit',
    'messaging.operation.type': 'send',
    ...(definitions.length !== 1 && { 'messaging.batch.message_count': definitions.length }),
  };
}

/** Host and port of a gRPC target such as `dns:///muster:7070`. */
function serverAttributes(address: string): Attributes {
  const [, host = address, port] = /^(?:.*\/)?(.*?)(?::(\d+))?$/.exec(address) ?? [];
  return { 'server.address': host, ...(port !== undefined && { 'server.port': Number(port) }) };
}

function fail(span: Span, error: unknown): void {
  span.setAttribute('error.type', typeOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
}

function typeOf(error: unknown): string {
  if (!(error instanceof MusterError)) return error instanceof Error ? error.name : '_OTHER';
  return Object.entries(Code).find(([, code]) => code === error.code)?.[0] ?? String(error.code);
}
