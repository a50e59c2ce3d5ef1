/** The engine's bus on NATS. */
import { uuidToBytes } from '../domain/base/uuid.ts';
import type { Assignment, CancelNotice, Hint, SuspendNotice } from '../engine/base/messages.ts';
import type { Bus, EventStream, Log, SessionAccess } from '../engine/ports/ports.ts';
import { encodeAssignments, encodeCancels, encodePing, encodeSuspends, splitBySize } from './assignment-message.ts';
import type { BusConnection } from './connection.ts';
import { JetStreamEvents } from './event-stream.ts';
import { decodeHint, encodeHint, isHintOf } from './hint-codec.ts';
import { Loopback } from './loopback.ts';
import type { SessionAccessRule } from './session-access.ts';
import { hintsSubject, loopbackSubject, sessionSubject } from './subjects.ts';

export interface NatsBusParts {
  readonly connection: BusConnection;
  readonly replicaId: string;
  /** URLs that sessions connect to. */
  readonly sessionUrls: readonly string[];
  readonly accessRule: SessionAccessRule;
  readonly log: Log;
  /** Runs at the end of `close`. */
  readonly release?: (() => Promise<void>) | undefined;
}

/** Upper bound for the parts of an assignment besides its payloads, and of a message besides its assignments. */
const marginBytes = 8 * 1024;
const payloadCap = 512 * 1024;
const maxNotices = 1_000;

/**
 * Maximum payload size in bytes, so that two of them, an input and a checkpoint, fit into one message with everything
 * else.
 */
export function userPayloadLimit(maxPayload: number): number {
  return Math.min(payloadCap, Math.floor(maxPayload / 2) - marginBytes);
}

export class NatsBus implements Bus {
  readonly #connection: BusConnection;
  readonly #replicaId: string;
  readonly #idBytes: Uint8Array;
  readonly #sessionUrls: readonly string[];
  readonly #accessRule: SessionAccessRule;
  readonly #log: Log;
  readonly #release: (() => Promise<void>) | undefined;
  readonly #loopback: Loopback;
  readonly events: EventStream;
  readonly #listeners: ((hint: Hint) => void)[] = [];

  constructor(parts: NatsBusParts) {
    this.#connection = parts.connection;
    this.#replicaId = parts.replicaId;
    this.#idBytes = uuidToBytes(parts.replicaId);
    this.#sessionUrls = parts.sessionUrls;
    this.#accessRule = parts.accessRule;
    this.#log = parts.log;
    this.#release = parts.release;
    this.events = new JetStreamEvents(this.#connection);
    this.#connection.subscribe(hintsSubject, (data) => this.#onHint(data));
    this.#loopback = new Loopback(this.#connection, loopbackSubject(this.#replicaId));
  }

  /** Settles when the first message to the server has come back. */
  get firstEcho(): Promise<void> {
    return this.#loopback.firstEcho;
  }

  get maxUserPayload(): number {
    return userPayloadLimit(this.#connection.maxPayload);
  }

  assign(sessionId: string, assignments: readonly Assignment[]): void {
    this.#publish(() => {
      const subject = sessionSubject(sessionId);
      for (const group of splitBySize(assignments, this.#connection.maxPayload - marginBytes)) {
        this.#send(subject, encodeAssignments(group));
      }
    });
  }

  cancel(sessionId: string, notices: readonly CancelNotice[]): void {
    this.#notify(sessionId, notices, encodeCancels);
  }

  suspend(sessionId: string, notices: readonly SuspendNotice[]): void {
    this.#notify(sessionId, notices, encodeSuspends);
  }

  ping(sessionId: string, counter: number): void {
    this.#publish(() => this.#send(sessionSubject(sessionId), encodePing(counter)));
  }

  announce(hint: Hint): void {
    this.#publish(() => {
      for (const message of encodeHint(this.#replicaId, hint)) this.#send(hintsSubject, message);
    });
  }

  onHint(listener: (hint: Hint) => void): void {
    this.#listeners.push(listener);
  }

  isUp(): boolean {
    return this.#loopback.isUp();
  }

  grantAccess(sessionId: string): SessionAccess {
    const subject = sessionSubject(sessionId);
    return { natsUrls: this.#sessionUrls, subject, credentials: this.#accessRule(sessionId) };
  }

  async close(): Promise<void> {
    this.#loopback.stop();
    try {
      await this.#connection.close();
    } finally {
      await this.#release?.();
    }
  }

  #notify<T>(sessionId: string, notices: readonly T[], encode: (notices: readonly T[]) => Uint8Array): void {
    this.#publish(() => {
      const subject = sessionSubject(sessionId);
      for (let from = 0; from < notices.length; from += maxNotices) {
        this.#send(subject, encode(notices.slice(from, from + maxNotices)));
      }
    });
  }

  #send(subject: string, data: Uint8Array): void {
    this.#connection.publish(subject, data);
    this.#loopback.afterPublish();
  }

  /** Only encoding errors are logged here: they are bugs of the caller, and no reason to stop its loop. */
  #publish(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, 'a message for the bus can not be made');
    }
  }

  #onHint(data: Uint8Array): void {
    if (isHintOf(this.#idBytes, data)) return;
    const received = decodeHint(data);
    if (received) for (const listener of this.#listeners) listener(received.hint);
  }
}
