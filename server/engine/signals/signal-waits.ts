/**
 * Runs waits: starts ready ones, delivers signals to them, and continues deliveries that other replicas have abandoned.
 */

import type { Payload } from '../../domain/base/payload.ts';
import { fateOf, MAX_KEPT_SIGNALS } from '../../domain/signals/signal-queue.ts';
import type { Announcer } from '../announcer.ts';
import { retryCollisions } from '../base/collisions.ts';
import type { DbClock } from '../base/db-clock.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import { killPoint } from '../base/kill-points.ts';
import { once } from '../base/requests.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { ReadyPolls } from '../explain/ready-polls.ts';
import type { Changes } from '../jobs/change/changes.ts';
import { JobKeysOf } from '../jobs/submit/job-keys.ts';
import { Loop } from '../loop.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { Results, type ResultsParts } from '../workflows/results.ts';
import { awaitedSignal, beginWaits } from './begin-waits.ts';
import { type DeliveredPage, deliverPage } from './deliver-page.ts';

/** Max waits started per transaction. */
const MAX_BEGUN = 100;
const ROUND_MS = 1_000;
/** A delivery that takes longer was abandoned, or is a long one that another replica may help with. */
const LEFT_MS = 1_000;
const MAX_LEFT = 100;
/** Max pages delivered within the call that sends a signal; the rest follows after the reply. */
const PAGES_PER_CALL = 5;

export interface SignalWaitsParts extends ResultsParts {
  readonly store: Pick<Store, 'waits' | 'triggers' | 'together'>;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
  readonly changes: Changes;
  readonly lanes: Lanes;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly announcer: Pick<Announcer, 'committed'>;
}

export interface SendSignal {
  readonly name: string;
  readonly key: string;
  readonly payload: Payload;
  readonly keepMs: number;
}

export interface SignalAnswer {
  readonly delivered: number;
  readonly delivering: boolean;
  readonly kept: boolean;
  readonly repeated: boolean;
  /** Triggers that it is stored for. */
  readonly triggers: number;
}

type StoredSignal = SignalAnswer & { readonly rowId?: number };

const nothing: SignalAnswer = { delivered: 0, delivering: false, kept: false, repeated: false, triggers: 0 };

export class SignalWaits {
  readonly #parts: SignalWaitsParts;
  readonly #results: Results;
  readonly #keys = new JobKeysOf();
  readonly #behind = new Set<Promise<void>>();
  readonly #ready: ReadyPolls;
  readonly #loop: Loop;

  constructor(parts: SignalWaitsParts) {
    this.#parts = parts;
    this.#results = new Results(parts);
    this.#ready = new ReadyPolls({
      ready: () => parts.lanes.waitsReady(),
      most: MAX_BEGUN,
      take: (laneIds) => this.#begin(laneIds),
      onFailure: (error) => this.#warn(error, 'jobs could not begin to wait'),
    });
    this.#loop = new Loop({ ...parts, name: 'waits', everyMs: ROUND_MS, run: () => this.#sweep() });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#loop.stop(), this.#ready.stop(), ...this.#behind]);
  }

  /** Lanes may have ready waits. */
  poll(): void {
    this.#ready.poll();
  }

  /** Throws SIGNALS_FULL or REQUEST_ID_REUSED. */
  async send(namespace: string, signal: SendSignal, request: RequestKey | undefined): Promise<SignalAnswer> {
    try {
      const { rowId, ...stored } = await retryCollisions(this.#parts, () => this.#store(namespace, signal, request));
      if (stored.triggers > 0) this.#parts.announcer.committed({ triggers: true });
      if (rowId === undefined) return stored;
      killPoint('signals.after_send_before_delivery');
      const { kind, delivered } = await this.#deliver(rowId, PAGES_PER_CALL);
      if (kind === 'MORE') this.#deliverBehind(rowId);
      return { ...stored, delivered, delivering: kind === 'MORE' || kind === 'GONE', kept: kind === 'KEPT' };
    } catch (error) {
      throw asEngineError(error);
    }
  }

  /** Stores a signal for jobs that wait for it and for triggers; `rowId`: it is under delivery. */
  #store(namespace: string, signal: SendSignal, request: RequestKey | undefined): Promise<StoredSignal> {
    const { name, key, payload } = signal;
    const { signalKeyId } = awaitedSignal(namespace, name, key);
    const { store, dbClock } = this.#parts;
    return store.together(async (inner) => {
      const sent = await once(inner, namespace, request, async ({ waits }): Promise<StoredSignal> => {
        const happening = { namespace, source: 'SIGNAL', name, signalKey: key, payload } as const;
        const triggers = await inner.triggers.cause([happening]);
        await waits.lockKeys([signalKeyId]);
        const nowUs = dbClock.nowUs();
        const keepMs = triggers > 0 ? 0 : signal.keepMs;
        const fate = fateOf(await waits.readKey(signalKeyId, nowUs), keepMs);
        if (fate.kind === 'FULL') throw signalsFull(signal);
        if (fate.kind === 'DROP') return { ...nothing, triggers };
        const rowId = await waits.insertSignal({ namespace, signalKeyId, payload, keepMs }, fate, nowUs);
        return fate.kind === 'KEEP' ? { ...nothing, kept: true } : { ...nothing, triggers, rowId };
      });
      return sent.repeated ? { ...nothing, repeated: true } : sent.value;
    });
  }

  /** Delivers up to `pages` pages; resolves with the last. */
  async #deliver(rowId: number, pages: number): Promise<DeliveredPage> {
    let last = await this.#page(rowId);
    for (let i = 1; i < pages && last.kind === 'MORE'; i++) {
      killPoint('signals.after_page_before_next');
      const { delivered } = last;
      last = await this.#page(rowId);
      if (last.kind === 'GONE') return { ...last, delivered };
    }
    return last;
  }

  async #page(rowId: number): Promise<DeliveredPage> {
    const pages: DeliveredPage[] = [];
    const parts = { results: this.#results, dbClock: this.#parts.dbClock };
    await this.#parts.changes.applyTogether(async (within) => {
      const page = await deliverPage(parts, within, rowId);
      pages.push(page);
      return page.changes;
    });
    // The last attempt is the one that was committed.
    return pages.at(-1) as DeliveredPage;
  }

  #deliverBehind(rowId: number): void {
    const work = (async () => {
      while (!this.#loop.isStopped && (await this.#deliver(rowId, 1)).kind === 'MORE');
    })()
      .catch((error) => this.#warn(error, 'a signal could not be delivered'))
      .finally(() => this.#behind.delete(work));
    this.#behind.add(work);
  }

  #warn(error: unknown, what: string): void {
    this.#parts.log.warn({ error: String(error) }, `${what}; the next round tries again`);
  }

  async #sweep(): Promise<void> {
    this.#ready.pollAgain();
    for (const rowId of await this.#parts.store.waits.findDeliveries(LEFT_MS, MAX_LEFT)) {
      let more = true;
      while (more && !this.#loop.isStopped) more = (await this.#deliver(rowId, 1)).kind === 'MORE';
    }
  }

  /** Resolves with the number of waits started. */
  async #begin(laneIds: readonly number[]): Promise<number> {
    const parts = { results: this.#results, keys: this.#keys, dbClock: this.#parts.dbClock };
    const changed = await this.#parts.changes.applyTogether((within) => beginWaits(parts, within, laneIds, MAX_BEGUN));
    return changed.filter(({ event }) => event === 'await').length;
  }
}

function signalsFull({ name, key }: SendSignal): EngineError {
  const kept = `${MAX_KEPT_SIGNALS} signals ${name} with key "${key}" are kept already, and no job takes them`;
  const text = `${kept}; send them with a shorter keep_for, or let jobs wait for them`;
  return new EngineError('SIGNALS_FULL', text, { metadata: { name, key }, field: 'key' });
}
