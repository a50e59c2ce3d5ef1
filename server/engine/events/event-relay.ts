/**
 * Relays events from the outbox to the bus's stream, and sends the spans that they end. All replicas do it in turns. A
 * row is deleted once the stream has stored its events. So each event is stored at least once, always with the same id,
 * whichever replica dies.
 */

import { uuidFromBytes } from '../../domain/base/uuid.ts';
import { eventId } from '../../domain/events/event-id.ts';
import { reasonOfMove } from '../../domain/explain/wait-reasons.ts';
import { isMiss } from '../../domain/jobs/soft-deadline.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { Loop } from '../loop.ts';
import type { EventBatch, Outbox, OutboxRow } from '../ports/events.ts';
import type { Clock, EventStream, Log, Random, Timers } from '../ports/ports.ts';
import type { SpanRelay } from './span-relay.ts';

/** From a flush to its relay round: flushes in between share the round, whose cost does not depend on their number. */
const SOON_MS = 250;
/** Mean interval for a replica without flushes of its own: looks for rows left by others. */
const POLL_MS = 15_000;
/** Max length of a turn; then another relay may take one. */
const TURN_MS = 10_000;
/**
 * Rest after a round, in multiples of its length: a relay with a backlog uses half of its time, another one a fifth.
 */
const SHARE = 4;
/** Bytes of job ids per turn: some 20,000 events. */
const BYTES_PER_TURN = 320 << 10;
/** From so many rows on there are probably more. */
const MUCH_ROWS = 200;
const RETRY_MS = 2_000;
/** Retry interval while the stream does not exist. */
const RETRY_ABSENT_MS = 30_000;
/** Max age of events that could not be published; older ones are dropped: the outbox must not fill the database. */
const KEEP_MS = 86_400_000;
const KEEP_ABSENT_MS = 600_000;
/** Max steps of dropping per round. */
const DROPS = 100;

export interface EventRelayParts {
  readonly outbox: Outbox;
  readonly events: EventStream;
  readonly lanes: Pick<Lanes, 'get' | 'load'>;
  /** Undefined: no spans are sent. */
  readonly spans?: Pick<SpanRelay, 'publishSpans'> | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

/** Result of a round: no rows, some, as many as fit, another relay has the turn, or the publish failed. */
type Round = 'nothing' | 'some' | 'much' | 'another' | 'failed';

export class EventRelay {
  readonly #parts: EventRelayParts;
  readonly #relayId: string;
  readonly #loop: Loop;
  #isWoken = false;
  #trouble: string | undefined;

  constructor(parts: EventRelayParts) {
    this.#parts = parts;
    this.#relayId = uuidFromBytes(parts.random.bytes16());
    this.#loop = new Loop({ ...parts, name: 'events', everyMs: POLL_MS, run: () => this.#run() });
  }

  start(): void {
    this.#loop.start(SOON_MS);
  }

  /** The outbox has a new row. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#loop.isRunning && this.#trouble === undefined) this.#loop.wake(SOON_MS);
  }

  /** Resolves when the current round is over. Other replicas, or the next start, relay the remaining rows. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #run(): Promise<number> {
    const { clock, events, random } = this.#parts;
    const start = clock.now();
    this.#isWoken = false;
    const result = await this.#relay();
    const took = clock.now() - start;
    if (result === 'failed') return events.isAbsent ? RETRY_ABSENT_MS : RETRY_MS;
    if (result === 'much') return took;
    // The other relay may have read the outbox before our rows were there.
    if (result === 'another') return SOON_MS * (1 + random.next());
    if (result === 'some' || this.#isWoken) return Math.max(SOON_MS, SHARE * took);
    return POLL_MS * (0.5 + random.next());
  }

  /** Takes rows, publishes them, and deletes those stored by the stream. Never rejects. */
  async #relay(): Promise<Round> {
    const { outbox, events } = this.#parts;
    try {
      await events.prepare();
      const rows = await outbox.take(this.#relayId, BYTES_PER_TURN, TURN_MS);
      if (!rows) return 'another';
      await this.#publish(rows);
      this.#recovered();
      if (rows.length >= MUCH_ROWS || sizeOf(rows) >= BYTES_PER_TURN) return 'much';
      return rows.length > 0 ? 'some' : 'nothing';
    } catch (error) {
      this.#failed(error as Error);
      await this.#drop().catch(() => {});
      return 'failed';
    }
  }

  async #publish(rows: readonly OutboxRow[]): Promise<void> {
    const { outbox, events, spans } = this.#parts;
    let done: readonly OutboxRow[] = [];
    try {
      const batches = await this.#batchesOf(rows);
      if (rows.length > 0) killPoint('relay.after_take_before_publish');
      const stored = await Promise.allSettled(
        batches.map(async (ofRow) => void (await Promise.all(ofRow.map((batch) => events.publish(batch))))),
      );
      done = rows.filter((_, i) => stored[i]?.status === 'fulfilled');
      if (done.length > 0) {
        await spans?.publishSpans(done.flatMap((row) => row.changes));
        killPoint('relay.after_publish_before_delete');
      }
      const failed = stored.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    } finally {
      await outbox.finish(
        this.#relayId,
        done.map((row) => row.rowId),
      );
    }
  }

  /** For each row, its events by namespace. */
  async #batchesOf(rows: readonly OutboxRow[]): Promise<EventBatch[][]> {
    const { lanes } = this.#parts;
    const laneIds = new Set(rows.flatMap((row) => row.changes.map((change) => change.laneId)));
    const unknown = [...laneIds].filter((laneId) => !lanes.get(laneId));
    if (unknown.length > 0) await lanes.load(unknown);
    return rows.map((row) => batchesOf(row, lanes));
  }

  /** Drops events that are too old, while they can't be published. */
  async #drop(): Promise<void> {
    const { outbox, events, log } = this.#parts;
    const olderThanMs = events.isAbsent ? KEEP_ABSENT_MS : KEEP_MS;
    let dropped = 0;
    for (let step = 0; step < DROPS && !this.#loop.isStopped; step++) {
      const some = await outbox.dropOlder(olderThanMs);
      dropped += some;
      if (some === 0) break;
    }
    if (dropped > 0) log.warn({ events: dropped }, 'dropped events that could not be published for too long');
  }

  #failed({ message }: Error): void {
    if (this.#loop.isStopped || this.#trouble === message) return;
    this.#trouble = message;
    this.#parts.log.warn({ problem: message }, 'events are not published; they wait in the database');
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#parts.log.info({}, 'events are published again');
    this.#trouble = undefined;
  }
}

/** The size as the store counts it, in bytes of job ids. */
function sizeOf(rows: readonly OutboxRow[]): number {
  return rows.flatMap((row) => row.changes).reduce((sum, change) => sum + change.jobIds.length, 0);
}

function batchesOf({ rowId, eventTimeUs, changes }: OutboxRow, lanes: Pick<Lanes, 'get'>): EventBatch[] {
  const byNamespace = new Map<string, EventBatch['changes'][number][]>();
  for (const { laneId, ...change } of changes) {
    const lane = lanes.get(laneId);
    if (!lane) throw new Error(`there is no lane ${laneId}`);
    const { namespace, definition } = lane;
    const outgoing = byNamespace.get(namespace) ?? [];
    byNamespace.set(namespace, outgoing);
    const waitReason = isMiss(change) ? undefined : reasonOfMove(change.previousState, change.state, lane);
    outgoing.push({ ...change, definition, waitReason });
  }
  return Array.from(byNamespace, ([namespace, outgoing]) => ({
    batchId: `${rowId}/${eventTimeUs}/${firstEventOf(outgoing)}`,
    namespace,
    eventTimeUs,
    changes: outgoing,
  }));
}

/**
 * The first event's id distinguishes the namespaces of a row. With the time it distinguishes the row from one with the
 * same number in another database, or in this one before a restore: there the same event may have the same number.
 */
function firstEventOf([first]: EventBatch['changes']): string {
  return first ? eventId({ jobId: uuidFromBytes(first.jobIds.subarray(0, 16)), revision: first.revision }) : '';
}
