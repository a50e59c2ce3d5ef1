/** Packs attempts for the handlers' thread: a flat row of plain values for each, and their bytes in one buffer. */
import { durationToMs } from '../../duration.ts';
import type { Payload } from '../../gen/muster/v1/payload_pb.ts';
import type { Assignment } from '../../gen/muster/worker/v1/assignment_pb.ts';
import { DEFAULT_RUN_TIMEOUT } from '../core/base/limits.ts';
import { ByteBatch } from './byte-batch.ts';

/** An attempt as the handlers' thread sees it. */
export interface StartedAttempt {
  readonly slot: number;
  readonly ticket: number;
  readonly attempt: number;
  readonly handler: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly namespace: string;
  readonly attemptCount: number;
  readonly runTimeoutMs: number;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The job's UUID, 16 bytes. */
  readonly jobId: Uint8Array;
  readonly input: Payload | undefined;
  readonly checkpoint: Payload | undefined;
}

type Metadata = { [key: string]: string };
type Cell = number | string | Metadata | null;

export interface PackedStarts {
  readonly rows: readonly Cell[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const WIDTH = 17;
const JOB_ID_BYTES = 16;
/** The length that stands for "no payload". */
const NONE = -1;

export class StartsPacker {
  #rows: Cell[] = [];
  readonly #bytes = new ByteBatch();

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  add(slot: number, ticket: number, assignment: Assignment): void {
    const { input, checkpoint } = assignment;
    this.#rows.push(
      slot,
      ticket,
      assignment.attempt,
      assignment.handler,
      assignment.definition,
      assignment.definitionVersion,
      assignment.namespace,
      assignment.attemptCount,
      durationToMs(assignment.runTimeout, DEFAULT_RUN_TIMEOUT),
      assignment.traceparent,
      assignment.tracestate,
      input?.contentType ?? '',
      input?.data.length ?? NONE,
      metadataCell(input),
      checkpoint?.contentType ?? '',
      checkpoint?.data.length ?? NONE,
      metadataCell(checkpoint),
    );
    this.#bytes.append(assignment.jobId);
    if (input) this.#bytes.append(input.data);
    if (checkpoint) this.#bytes.append(checkpoint.data);
  }

  take(): PackedStarts {
    const rows = this.#rows;
    this.#rows = [];
    return { rows, bytes: this.#bytes.take() };
  }
}

/** Most payloads have no metadata, and `null` is cheaper to send than an empty object. */
export function metadataCell(payload: Payload | undefined): Metadata | null {
  if (payload === undefined) return null;
  for (const _ in payload.metadata) return payload.metadata;
  return null;
}

export function* unpackStarts({ rows, bytes }: PackedStarts): Generator<StartedAttempt> {
  let offset = 0;
  const view = (length: number): Uint8Array => {
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  for (let i = 0; i < rows.length; i += WIDTH) {
    yield {
      slot: rows[i] as number,
      ticket: rows[i + 1] as number,
      attempt: rows[i + 2] as number,
      handler: rows[i + 3] as string,
      definition: rows[i + 4] as string,
      definitionVersion: rows[i + 5] as number,
      namespace: rows[i + 6] as string,
      attemptCount: rows[i + 7] as number,
      runTimeoutMs: rows[i + 8] as number,
      traceparent: rows[i + 9] as string,
      tracestate: rows[i + 10] as string,
      jobId: view(JOB_ID_BYTES),
      input: unpackPayload(rows, i + 11, view),
      checkpoint: unpackPayload(rows, i + 14, view),
    };
  }
}

function unpackPayload(rows: readonly Cell[], at: number, view: (length: number) => Uint8Array): Payload | undefined {
  const length = rows[at + 1] as number;
  if (length === NONE) return undefined;
  return {
    $typeName: 'muster.v1.Payload',
    contentType: rows[at] as string,
    data: view(length),
    metadata: (rows[at + 2] as Metadata | null) ?? {},
  };
}
