/** What the engine asks of the store about jobs that wait for events, and about events. Each is a part of a transaction unless it says so. */

import type { Payload } from '../../domain/base/payload.ts';
import type { EventFate, KeyFacts } from '../../domain/signals/event-queue.ts';

/** An event's name and key, and the id that follows from both and the namespace. */
export interface AwaitedEvent {
  readonly waitId: string;
  readonly name: string;
  /** Empty: the empty key. */
  readonly key: string;
}

export interface NewWait extends AwaitedEvent {
  readonly jobId: string;
}

export interface KeptEvent {
  readonly rowId: number;
  readonly waitId: string;
  readonly payload: Payload;
}

export interface SentEvent {
  readonly namespace: string;
  readonly waitId: string;
  readonly payload: Payload;
  readonly keepMs: number;
}

/** An event on its way, locked. */
export interface Delivery {
  readonly rowId: number;
  readonly namespace: string;
  readonly waitId: string;
  readonly payload: Payload;
  /** For how much longer it would be kept. */
  readonly keepMs: number;
  /** Jobs that it has ended. */
  readonly delivered: number;
  readonly after: number;
  readonly upTo: number;
}

export interface Waiting {
  readonly rowId: number;
  readonly jobId: string;
  readonly laneId: number;
}

/** What the key of a job's event follows from. */
export interface KeySource {
  readonly jobId: string;
  readonly input: Payload;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SignalWaitStore {
  readKeySources(jobIds: readonly string[]): Promise<KeySource[]>;
  /** Until the end of the transaction nobody else sends one of these events or begins to wait for one. In a fixed order. */
  lockKeys(waitIds: readonly string[]): Promise<void>;
  /** Takes out the oldest that are kept, as many of each as there are ids alike, oldest first. For whoever has locked them. */
  takeKept(waitIds: readonly string[]): Promise<KeptEvent[]>;
  insertWaits(waits: readonly NewWait[]): Promise<void>;
  /** For whoever has locked the key. */
  readKey(waitId: string): Promise<KeyFacts>;
  /** The id of its row. For whoever has locked the key. */
  insertEvent(event: SentEvent, fate: Exclude<EventFate, { readonly kind: 'DROP' | 'FULL' }>): Promise<number>;
  /** Undefined: somebody else delivers it, or has. */
  lockDelivery(rowId: number): Promise<Delivery | undefined>;
  /** The next jobs that it goes to, in the order in which they began to wait. */
  readWaiting(delivery: Delivery, limit: number): Promise<Waiting[]>;
  /** It goes on behind this wait, and has ended so many jobs. */
  advance(rowId: number, after: number, delivered: number): Promise<void>;
  /** It has reached nobody, and begins anew. */
  redirect(rowId: number, fate: Exclude<EventFate, { readonly kind: 'DROP' | 'FULL' }>): Promise<void>;
  drop(rowId: number): Promise<void>;
  /** Events on their way since longer ago than that, oldest first. Outside any transaction. */
  findDeliveries(olderThanMs: number, limit: number): Promise<number[]>;
  /** What these jobs wait for, of those that wait for an event. Outside any transaction. */
  read(jobIds: readonly string[]): Promise<ReadonlyMap<string, AwaitedEvent>>;
}
