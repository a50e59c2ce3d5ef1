/** Jobs that wait for signals and approvals, transaction by transaction: the waits, the kept signals, and the ends. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { decodeScript } from '../../nodes/handler-script.ts';
import { isWait, WAIT_TIMEOUT_MS } from '../../scenario/definitions.ts';
import { clockErrorUs, names, type Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';
import { Requests } from '../base/requests.ts';
import { TransactionChecks } from '../workflows/flow-transactions.ts';
import { checkWaitAnswers, type KnownWaits } from './wait-answers.ts';
import { type SentSignal, WaitKey, type WaitLife } from './wait-keys.ts';

const { WAITING, SUCCEEDED, FAILED, EXPIRED } = stateCodes;
/** Codes of the journal. */
const [KEPT, ON_ITS_WAY] = [1, 2];
/** Events are kept for much less, or for much more. */
const MARGIN_US = 60_000_000;

export class WaitChecks extends TransactionChecks implements KnownWaits {
  readonly lives = new Map<string, WaitLife>();
  readonly byName = new Map<string, SentSignal>();
  readonly #keys = new Map<string, WaitKey>();
  #requests: Requests | undefined;
  #ended: Ordered[] = [];
  /** Events that are no longer kept. */
  #gone: { readonly event: SentSignal; readonly row: Ordered }[] = [];

  key(key: string): WaitKey {
    const found = this.#keys.get(key) ?? new WaitKey();
    this.#keys.set(key, found);
    return found;
  }

  protected override settle(rows: readonly Ordered[]): void {
    [this.#ended, this.#gone] = [[], []];
    for (const row of rows) this.#row(row);
    for (const row of this.#ended) this.#judgeEnd(row);
    for (const { event, row } of this.#gone) this.#judgeGone(event, row);
    const last = rows.at(-1) as Ordered;
    // A clock that is ahead ends the time for which an event is kept.
    const isKnown = clockErrorUs(this.evidence) === 0;
    for (const [name, key] of this.#keys) {
      if (isKnown && key.unpromised().length > 0 && key.kept(last.at, MARGIN_US).length > 0)
        this.violate('waits: events', `a job waits for key ${name}, and an event of it is kept (journal ${last.n})`);
      key.note(last.order);
    }
  }

  protected override over(): void {
    for (const { name, state } of this.byName.values())
      if (state === 'ON_ITS_WAY') this.violate('waits: events', `event ${name} is on its way for ever`);
    checkWaitAnswers(this, this.evidence);
  }

  violate(invariant: string, what: string): void {
    this.evidence.history.violate(invariant, what);
  }

  #row(row: Ordered): void {
    if (row.kind === 'record') this.#record(row);
    else if (row.kind === 'event') this.#event(row);
    const life = this.lives.get(row.id);
    if (!life) return;
    if (row.kind === 'move' && row.to === WAITING) this.#begin(life, row);
    if (row.kind !== 'end') return;
    life.ended = row.order;
    this.key(life.key).waiting.delete(life);
    this.#ended.push(row);
  }

  #record({ id }: Ordered): void {
    const facts = this.evidence.facts.get(id);
    if (!facts || !isWait(facts.definition)) return;
    const { definition, input } = facts;
    const { key = '' } = decodeScript(input);
    const never = Number.POSITIVE_INFINITY;
    this.lives.set(id, { id, definition, key, since: undefined, began: never, ended: never, promised: undefined });
  }

  #begin(life: WaitLife, row: Ordered): void {
    life.since = this.evidence.history.transactionBegan.get(row.at) ?? row.at;
    life.began = row.order;
    if (life.definition === 'signal') this.key(life.key).waiting.add(life);
    this.evidence.history.count(`wait: ${life.definition} began`);
  }

  #event(row: Ordered): void {
    const { event: name, key } = JSON.parse(row.text ?? '{}');
    const known = this.byName.get(name);
    if (row.from === null && known) this.violate('waits: events', `event ${name} was stored twice`);
    const event: SentSignal = known ?? {
      ...{ row: row.lane ?? 0, name, key, keepUntil: row.until ?? 0, state: 'GONE' },
      ...{ promised: new Set(), taken: new Set() },
    };
    this.byName.set(name, event);
    this.key(key).events.set(event.row, event);
    if (row.from === ON_ITS_WAY) this.#arrived(event, row);
    if (row.from === KEPT) this.#gone.push({ event, row });
    this.#becomes(event, row);
  }

  /** It is promised to all current waits without a promised event, and kept only if there are none. */
  #becomes(event: SentSignal, row: Ordered): void {
    const free = this.key(event.key).unpromised();
    event.state = row.to === KEPT ? 'KEPT' : row.to === ON_ITS_WAY ? 'ON_ITS_WAY' : 'GONE';
    if (event.state === 'KEPT' && free.length > 0)
      this.violate('waits: events', `event ${event.name} is kept, and ${free[0]?.id} waits (journal ${row.n})`);
    if (event.state === 'KEPT') this.evidence.history.count('wait: an event was kept');
    if (event.state !== 'ON_ITS_WAY') return;
    if (free.length === 0)
      this.violate('waits: events', `event ${event.name} is sent to no wait, and is not kept (journal ${row.n})`);
    if (free.length > 1) this.evidence.history.count('wait: an event went to several jobs');
    for (const life of free) life.promised = event;
    event.promised.clear();
    for (const life of free) event.promised.add(life);
  }

  /** All jobs that it was promised to have ended; if it ended none of them, it counts as if none had waited. */
  #arrived(event: SentSignal, row: Ordered): void {
    const { key, name, promised, taken } = event;
    for (const life of promised)
      if (this.key(key).waiting.has(life))
        this.violate('waits: events', `event ${name} has passed over job ${life.id} (journal ${row.n})`);
    const took = [...this.#ended].filter((end) => textOf(end).event === name).length + taken.size;
    if (took > 0) return;
    this.evidence.history.count('wait: an event found nobody any more');
    if (row.to === null && event.keepUntil > row.at)
      this.violate('waits: events', `event ${name} has reached no wait, and is lost (journal ${row.n})`);
  }

  /** A kept event ends one job. */
  #judgeGone({ name, taken, keepUntil }: SentSignal, row: Ordered): void {
    if (taken.size > 1) this.violate('waits: events', `event ${name} was kept, and has ended ${taken.size} jobs`);
    if (taken.size === 0 && keepUntil > row.at)
      this.violate('waits: events', `event ${name} was kept, and is lost (journal ${row.n})`);
  }

  #judgeEnd(row: Ordered): void {
    const life = this.lives.get(row.id) as WaitLife;
    const { history, profile } = this.evidence;
    if (row.to === SUCCEEDED || row.to === FAILED) {
      history.count(`wait: ${life.definition} ended ${names[row.to]}`);
      if (life.since === undefined) this.#violate(row, 'has never waited');
    }
    if (row.to === EXPIRED && life.since !== undefined) this.#violate(row, 'waited, and has expired');
    if (row.to === SUCCEEDED && life.definition === 'signal') this.#took(life, row);
    else if (row.to === SUCCEEDED) this.#judgeWord(row, 'approveJob');
    else if (row.to === FAILED) this.#judgeFailure(life, row);
    if (life.since !== undefined && lateness(profile, row, life.since + WAIT_TIMEOUT_MS * 1000) > 0)
      this.#violate(row, 'waited on after its run timeout');
  }

  #took(life: WaitLife, row: Ordered): void {
    const event = this.byName.get(String(textOf(row).event));
    if (event?.key !== life.key) this.#violate(row, `has ended by ${row.text}, and waits for ${life.key}`);
    else if (this.#gone.some((gone) => gone.event === event)) this.#tookKept(life, event, row);
    else if (!event.promised.has(life)) this.#violate(row, `has ended by ${event.name}, which is not meant for it`);
    event?.taken.add(life);
  }

  #tookKept(life: WaitLife, event: SentSignal, row: Ordered): void {
    this.evidence.history.count('wait: a job took an event that was kept');
    const older = this.key(life.key)
      .kept(row.at, MARGIN_US)
      .find((other) => other.row < event.row);
    if (older && clockErrorUs(this.evidence) === 0)
      this.#violate(row, `took event ${event.name}, and ${older.name} is older`);
    if (life.promised) this.#violate(row, `took event ${event.name}, and ${life.promised.name} was meant for it`);
  }

  #judgeWord(row: Ordered, method: string): void {
    this.#requests ??= new Requests(this.evidence);
    if (!this.#requests.underWay(row, method)) this.#violate(row, `ended by ${row.text} without a decision`);
  }

  #judgeFailure(life: WaitLife, row: Ordered): void {
    const { type } = textOf(row);
    const early = (life.since ?? 0) + WAIT_TIMEOUT_MS * 1000 - row.at - clockErrorUs(this.evidence);
    if (type === 'Rejected' && life.definition === 'sign-off') this.#judgeWord(row, 'rejectJob');
    else if (type !== 'RunTimeout') this.#violate(row, `has failed by ${row.text}`);
    else if (early > 0) this.#violate(row, `met its run timeout ${early / 1000} ms too early`);
    else this.evidence.history.count('wait: nobody came in time');
  }

  #violate(row: Ordered, what: string): void {
    this.violate('waits: ends', `job ${row.id} ${what} (journal ${row.n}, order ${row.order})`);
  }
}

function textOf(row: Ordered): { readonly event?: string; readonly type?: string } {
  return JSON.parse(row.text || '{}');
}
