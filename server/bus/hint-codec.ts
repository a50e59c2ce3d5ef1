/**
 * Encodes hints between replicas: one byte for the kind, the sender's replica id (16 bytes), then the items. An item
 * has 16 bytes: the id of an ended job, of a key's limit or of a session; or a lane with ready jobs, or with freed
 * capacity under its limits (its id, and its rank or 0, both as float64).
 */

import { uuidFromBytes, writeUuid } from '../domain/base/uuid.ts';
import type { Hint, LaneHint } from '../engine/base/messages.ts';

export interface ReceivedHint {
  readonly replicaId: string;
  readonly hint: Hint;
}

/** Maximum items per message; further items go into the next. */
export const maxHintItems = 1_000;

const kinds = { ready: 1, ended: 2, logged: 3, freed: 4, freedKeys: 5, freedCapacity: 6 } as const;
const headerBytes = 17;
const itemBytes = 16;
/** The maximum of a database integer. */
const MAX_LANE_ID = 2 ** 31 - 1;

/** One message per 1,000 items; none without items. */
export function encodeHint(replicaId: string, hint: Hint): Uint8Array[] {
  if (hint.kind === 'ready') return encodePages(replicaId, kinds.ready, hint.lanes, writeLane);
  if (hint.kind === 'freed') {
    const lanes = hint.laneIds.map((laneId) => ({ laneId, rank: 0 }));
    return encodePages(replicaId, kinds.freed, lanes, writeLane);
  }
  return encodePages(replicaId, kinds[hint.kind], idsIn(hint), (id, bytes, at) => writeUuid(id, bytes, at));
}

function idsIn(hint: Exclude<Hint, { readonly kind: 'ready' | 'freed' }>): readonly string[] {
  if (hint.kind === 'freedKeys') return hint.limitIds;
  return hint.kind === 'freedCapacity' ? hint.sessionIds : hint.jobIds;
}

function encodePages<Item>(
  replicaId: string,
  kind: number,
  items: readonly Item[],
  write: (item: Item, bytes: Uint8Array, at: number) => void,
): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let from = 0; from < items.length; from += maxHintItems) {
    const count = Math.min(maxHintItems, items.length - from);
    const bytes = new Uint8Array(headerBytes + count * itemBytes);
    bytes[0] = kind;
    writeUuid(replicaId, bytes, 1);
    for (let i = 0; i < count; i++) write(items[from + i] as Item, bytes, headerBytes + i * itemBytes);
    pages.push(bytes);
  }
  return pages;
}

function writeLane(lane: LaneHint, bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer);
  view.setFloat64(at, lane.laneId);
  view.setFloat64(at + 8, lane.rank);
}

/** Whether this replica has sent it: most received hints are its own, thousands of ids per second. */
export function isHintOf(replicaId: Uint8Array, bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && replicaId.every((byte, i) => bytes[1 + i] === byte);
}

/**
 * Undefined for anything that no replica of this release sends: another release may, and a hint can always be ignored.
 */
export function decodeHint(bytes: Uint8Array): ReceivedHint | undefined {
  const count = (bytes.length - headerBytes) / itemBytes;
  if (!Number.isInteger(count) || count < 1 || count > maxHintItems) return undefined;
  const replicaId = uuidFromBytes(bytes, 1);
  const offsets = Array.from({ length: count }, (_, index) => headerBytes + index * itemBytes);
  if (bytes[0] === kinds.ended || bytes[0] === kinds.logged) {
    const kind = bytes[0] === kinds.ended ? 'ended' : 'logged';
    return { replicaId, hint: { kind, jobIds: offsets.map((at) => uuidFromBytes(bytes, at)) } };
  }
  if (bytes[0] === kinds.freedKeys) {
    const limitIds = offsets.map((at) => uuidFromBytes(bytes, at));
    return { replicaId, hint: { kind: 'freedKeys', limitIds } };
  }
  if (bytes[0] === kinds.freedCapacity) {
    const sessionIds = offsets.map((at) => uuidFromBytes(bytes, at));
    return { replicaId, hint: { kind: 'freedCapacity', sessionIds } };
  }
  if (bytes[0] !== kinds.ready && bytes[0] !== kinds.freed) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lanes = offsets.map((at) => ({ laneId: view.getFloat64(at), rank: view.getFloat64(at + 8) })).filter(isLane);
  if (lanes.length === 0) return undefined;
  if (bytes[0] === kinds.ready) return { replicaId, hint: { kind: 'ready', lanes } };
  return { replicaId, hint: { kind: 'freed', laneIds: lanes.map(({ laneId }) => laneId) } };
}

/** A rank that is not a number would stay the lane's lowest for ever, and its jobs would never be claimed again. */
function isLane({ laneId, rank }: LaneHint): boolean {
  return Number.isInteger(laneId) && laneId > 0 && laneId <= MAX_LANE_ID && Number.isSafeInteger(rank);
}
