/**
 * Waits for signals, and the signals: each method is part of a transaction unless noted. `nowUs` is the replica's time:
 * a step of the database's clock may end the time of no signal.
 */

import type { Payload } from '../../domain/base/payload.ts';
import type { End } from '../../domain/jobs/run.ts';
import type { KeyFacts, SignalFate } from '../../domain/signals/signal-queue.ts';

/** A signal's name and key, and the id derived from these and the namespace. */
export interface AwaitedSignal {
  readonly signalKeyId: string;
  readonly name: string;
  /** Empty: the empty key. */
  readonly key: string;
}

export interface NewSignalWait extends AwaitedSignal {
  readonly jobId: string;
}

export interface KeptSignal {
  readonly rowId: number;
  readonly signalKeyId: string;
  readonly payload: Payload;
}

export interface SentSignal {
  readonly namespace: string;
  readonly signalKeyId: string;
  readonly payload: Payload;
  readonly keepMs: number;
}

/** A signal under delivery, locked. */
export interface Delivery {
  readonly rowId: number;
  readonly namespace: string;
  readonly signalKeyId: string;
  readonly payload: Payload;
  /** For how much longer it would be kept, in ms. */
  readonly keepMs: number;
  /** Number of jobs it has ended. */
  readonly delivered: number;
  readonly after: number;
  readonly upTo: number;
}

export interface Waiting {
  readonly rowId: number;
  readonly jobId: string;
  readonly laneId: number;
}

/** The data from which the signal key of a job is computed. */
export interface KeySource {
  readonly jobId: string;
  readonly input: Payload;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SignalWaitStore {
  readKeySources(jobIds: readonly string[]): Promise<KeySource[]>;
  /** Locks these signals' keys until the transaction ends: nobody else sends or waits for one. In a fixed order. */
  lockKeys(signalKeyIds: readonly string[]): Promise<void>;
  /** Removes the oldest kept signals, as many per id as it is repeated, oldest first. The caller has locked the keys. */
  takeKept(signalKeyIds: readonly string[], nowUs: number): Promise<KeptSignal[]>;
  insertSignalWaits(waits: readonly NewSignalWait[]): Promise<void>;
  /** Deletes the waits of the ended jobs that have waited. */
  leave(ended: readonly End[]): Promise<void>;
  /** The caller has locked the key. */
  readKey(signalKeyId: string, nowUs: number): Promise<KeyFacts>;
  /** Returns the id of the row. The caller has locked the key. */
  insertSignal(
    signal: SentSignal,
    fate: Exclude<SignalFate, { readonly kind: 'DROP' | 'FULL' }>,
    nowUs: number,
  ): Promise<number>;
  /** Undefined: another replica delivers it, or has delivered it. */
  lockDelivery(rowId: number, nowUs: number): Promise<Delivery | undefined>;
  /** The next jobs to end, in the order in which they began to wait. */
  readWaiting(delivery: Delivery, limit: number): Promise<Waiting[]>;
  /** Stores the progress: the last wait reached, and the number of jobs ended. */
  advance(rowId: number, after: number, delivered: number): Promise<void>;
  /** No job was ended; the delivery starts again, or the signal is kept. */
  redirect(rowId: number, fate: Exclude<SignalFate, { readonly kind: 'DROP' | 'FULL' }>): Promise<void>;
  drop(rowId: number): Promise<void>;
  /** Signals under delivery for longer than that, oldest first. Outside any transaction. */
  findDeliveries(olderThanMs: number, limit: number): Promise<number[]>;
  /** The awaited signals of those jobs that wait for one. Outside any transaction. */
  read(jobIds: readonly string[]): Promise<ReadonlyMap<string, AwaitedSignal>>;
}
