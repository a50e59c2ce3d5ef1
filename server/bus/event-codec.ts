/**
 * Encodes events: batches of CloudEvents in JSON, split by size. Tens of thousands come per second, and most differ
 * only in their jobs: so the JSON is built once per change and copied as bytes, which costs a tenth of building each.
 */

import { type Failure, type FailureCause, failureCauses } from '../domain/base/payload.ts';
import { writeUuidDigits } from '../domain/base/uuid.ts';
import { eventId } from '../domain/events/event-id.ts';
import { type WaitReason, waitReasons } from '../domain/explain/wait-reasons.ts';
import { type JobState, stateCodes } from '../domain/jobs/job-state.ts';
import { isMiss } from '../domain/jobs/soft-deadline.ts';
import type { EventBatch, PublishedEvent } from '../engine/ports/events.ts';

/** Content type of a message. */
export const eventsContentType = 'application/cloudevents-batch+json';

export interface EventMessage {
  /** The bus detects repeats by it. */
  readonly messageId: string;
  readonly data: Uint8Array;
}

/** The namespace in the events' `source`, within which their ids are unique. */
const sourceOf = (namespace: string) => `/muster/namespaces/${namespace}`;

/** RFC 3339 in UTC, with microseconds. */
function timeText(us: number): string {
  const ms = Math.floor(us / 1_000);
  return `${new Date(ms).toISOString().slice(0, 23)}${String(us - ms * 1_000).padStart(3, '0')}Z`;
}

/** JSON of a failure in the contract's mapping, without empty fields. */
function failureJson({ type, message, failureCause, nonRetryable, exitCode }: Failure): string {
  return JSON.stringify({
    type,
    message,
    failureCause: `FAILURE_CAUSE_${failureCause}`,
    ...(nonRetryable ? { nonRetryable } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
  });
}

type Change = EventBatch['changes'][number];

const ID_BYTES = 16;
/** Placeholder for a job's id, with the same length. */
const anyJob = '00000000-0000-0000-0000-000000000000';
const idLength = anyJob.length;
/**
 * One CloudEvent. `data` is a JobEvent in the contract's JSON mapping, without fields that the attributes contain:
 * every byte loads the bus. Names need no escaping: they were checked.
 */
function eventJson(change: Change, namespace: string, eventTimeUs: number): string {
  const { definition, revision, attempt, previousState, state, waitReason, failure } = change;
  const time = timeText(eventTimeUs);
  const missed = isMiss(change);
  const type = `dev.muster.v1.job.${missed ? 'soft_deadline_missed' : state.toLowerCase()}`;
  const previous = previousState ? `"previousState":"JOB_STATE_${previousState}",` : '';
  return (
    `{"specversion":"1.0","id":"${eventId({ jobId: anyJob, revision })}","source":"${sourceOf(namespace)}",` +
    `"type":"${type}","subject":"${anyJob}","time":"${time}",` +
    `"data":{"definition":"${definition}","revision":"${revision}",${previous}"state":"JOB_STATE_${state}"` +
    `${missed ? ',"softDeadlineMissed":true' : ''}${waitReason ? `,"waitReason":"WAIT_REASON_${waitReason}"` : ''}` +
    `${attempt > 0 ? `,"attempt":${attempt}` : ''}${failure ? `,"failure":${failureJson(failure)}` : ''}}}`
  );
}

/**
 * The events of a change, each followed by a comma: the JSON is built once and copied, and the ids are written into the
 * copies.
 */
function encodeChange(change: Change, namespace: string, eventTimeUs: number): { bytes: Buffer; unit: number } {
  const { jobIds } = change;
  const one = Buffer.from(`${eventJson(change, namespace, eventTimeUs)},`);
  const id = one.indexOf(anyJob);
  const subject = one.indexOf(anyJob, id + idLength);
  const bytes = Buffer.allocUnsafe((one.length * jobIds.length) / ID_BYTES).fill(one);
  for (let at = 0, from = 0; from < jobIds.length; at += one.length, from += ID_BYTES) {
    writeUuidDigits(jobIds, from, bytes, at + id);
    bytes.copyWithin(at + subject, at + id, at + id + idLength);
  }
  return { bytes, unit: one.length };
}

/** Pieces of at most `maxBytes`; only a single event may be larger. */
function* piecesOf({ namespace, eventTimeUs, changes }: EventBatch, maxBytes: number): Generator<Buffer> {
  for (const change of changes) {
    const { bytes, unit } = encodeChange(change, namespace, eventTimeUs);
    const step = unit * Math.max(1, Math.floor(maxBytes / unit));
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  }
}

/**
 * Close to the minimum number of messages of `maxBytes`, each with at least one event; equal batches give equal
 * messages.
 */
export function encodeEvents(batch: EventBatch, maxBytes: number): EventMessage[] {
  const messages: EventMessage[] = [];
  let pieces: Buffer[] = [];
  let bytes = 0;
  const finish = () => {
    const messageId = messages.length === 0 ? batch.batchId : `${batch.batchId}/${messages.length}`;
    const data = Buffer.concat([Buffer.from('['), ...pieces]);
    // Replaces the last comma.
    data.write(']', data.length - 1);
    messages.push({ messageId, data });
    pieces = [];
    bytes = 0;
  };
  for (const piece of piecesOf(batch, maxBytes - 1)) {
    if (pieces.length > 0 && 1 + bytes + piece.length > maxBytes) finish();
    pieces.push(piece);
    bytes += piece.length;
  }
  if (pieces.length > 0) finish();
  return messages;
}

const stateOfName = (name: unknown) => {
  const state = String(name ?? '').replace('JOB_STATE_', '');
  return state in stateCodes ? (state as JobState) : undefined;
};

const waitReasonOfName = (name: unknown) => {
  const reason = String(name ?? '').replace('WAIT_REASON_', '');
  return reason in waitReasons ? (reason as WaitReason) : undefined;
};

function failureFrom(data: Record<string, unknown>): Failure {
  const cause = String(data.failureCause ?? '').replace('FAILURE_CAUSE_', '');
  return {
    type: String(data.type ?? ''),
    message: String(data.message ?? ''),
    stackTrace: '',
    failureCause: cause in failureCauses ? (cause as FailureCause) : 'INTERNAL',
    nonRetryable: data.nonRetryable === true,
    exitCode: typeof data.exitCode === 'number' ? data.exitCode : undefined,
  };
}

/** Parses the output of `timeText`. */
function microsFrom(text: unknown): number {
  const [seconds = '', fraction = ''] = String(text).replace('Z', '').split('.');
  return Date.parse(`${seconds}Z`) * 1_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

interface CloudEvent {
  readonly subject?: string;
  readonly source?: string;
  readonly time?: string;
  readonly data?: Record<string, unknown>;
}

function eventFrom({ subject, source = '', time, data }: CloudEvent): PublishedEvent[] {
  const state = stateOfName(data?.state);
  if (!data || !state) return [];
  return [
    {
      jobId: String(subject),
      namespace: source.slice(sourceOf('').length),
      definition: String(data.definition),
      revision: Number(data.revision),
      attempt: Number(data.attempt ?? 0),
      previousState: stateOfName(data.previousState),
      state,
      waitReason: waitReasonOfName(data.waitReason),
      eventTimeUs: microsFrom(time),
      failure: data.failure ? failureFrom(data.failure as Record<string, unknown>) : undefined,
    },
  ];
}

/** Decodes the output of `encodeEvents`. Events of a later release with an unknown state are left out. */
export function decodeEvents(data: Uint8Array): PublishedEvent[] {
  return (JSON.parse(Buffer.from(data).toString()) as CloudEvent[]).flatMap(eventFrom);
}
