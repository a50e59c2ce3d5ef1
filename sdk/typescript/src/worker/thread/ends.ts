/** Packs outcomes for the session's thread: a flat row of plain values for each, and their bytes in one buffer. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Failure } from '../../gen/muster/v1/failure_pb.ts';
import { FailureSchema } from '../../gen/muster/v1/failure_pb.ts';
import type { Payload } from '../../gen/muster/v1/payload_pb.ts';
import { BYTES_TYPE, isPayload, JSON_TYPE, jsonText, payload } from '../../payload.ts';
import { uuidToBytes } from '../../uuid.ts';
import type { HandlerEnd } from '../core/base/ports.ts';
import { ByteBatch } from './byte-batch.ts';
import { metadataCell } from './starts.ts';

type Metadata = { [key: string]: string };
type Cell = number | string | Metadata | null;

export interface PackedEnds {
  readonly rows: readonly Cell[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const WIDTH = 4;
/** Stored in place of a result's content type. No media type looks like it. */
const FAILURE = '!failure';
const SUSPENSION = '!suspension';
const UUID_BYTES = 16;

export class EndsPacker {
  #rows: Cell[] = [];
  readonly #bytes = new ByteBatch();

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  /** @throws TypeError when the value can't be written as JSON; nothing is added then. */
  addResult(slot: number, value: unknown): void {
    if (value === undefined) this.#rows.push(slot, '', 0, null);
    else if (value instanceof Uint8Array) this.#addBytes(slot, payload(value, BYTES_TYPE));
    else if (isPayload(value)) this.#addBytes(slot, value);
    else this.#rows.push(slot, JSON_TYPE, this.#bytes.appendText(jsonText(value)), null);
  }

  addFailure(slot: number, failure: Failure): void {
    const bytes = toBinary(FailureSchema, failure);
    this.#bytes.append(bytes);
    this.#rows.push(slot, FAILURE, bytes.length, null);
  }

  addSuspension(slot: number, childIds: readonly string[]): void {
    for (const id of childIds) this.#bytes.append(uuidToBytes(id));
    this.#rows.push(slot, SUSPENSION, childIds.length * UUID_BYTES, null);
  }

  take(): PackedEnds {
    const rows = this.#rows;
    this.#rows = [];
    return { rows, bytes: this.#bytes.take() };
  }

  #addBytes(slot: number, result: Payload): void {
    this.#bytes.append(result.data);
    this.#rows.push(slot, result.contentType, result.data.length, metadataCell(result));
  }
}

function uuidsOf(data: Uint8Array): Uint8Array[] {
  return Array.from({ length: data.length / UUID_BYTES }, (_, i) => data.slice(i * UUID_BYTES, (i + 1) * UUID_BYTES));
}

export function unpackEnds({ rows, bytes }: PackedEnds): HandlerEnd[] {
  const ends: HandlerEnd[] = [];
  let offset = 0;
  for (let i = 0; i < rows.length; i += WIDTH) {
    const slot = rows[i] as number;
    const type = rows[i + 1] as string;
    const end = offset + (rows[i + 2] as number);
    const data = bytes.subarray(offset, end);
    offset = end;
    if (type === FAILURE) ends.push({ slot, outcome: { kind: 'failure', failure: fromBinary(FailureSchema, data) } });
    else if (type === SUSPENSION) ends.push({ slot, outcome: { kind: 'suspended', childIds: uuidsOf(data) } });
    else
      ends.push({
        slot,
        outcome: { kind: 'result', payload: payload(data, type, (rows[i + 3] as Metadata | null) ?? {}) },
      });
  }
  return ends;
}
