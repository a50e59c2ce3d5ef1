/**
 * Batches: members are added until the batch is sealed or stopped, it ends when they have, by its policy, and submits
 * its callback once.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { decodeScript } from '../../nodes/handler-script.ts';
import type { PlannedBatch } from '../../scenario/batches.ts';
import { isBatch } from '../../scenario/flows.ts';
import { names, type Ordered } from '../base/events.ts';
import { Requests } from '../base/requests.ts';
import { TransactionChecks } from '../workflows/flow-transactions.ts';

const { PAUSED, SUCCEEDED, FAILED, CANCELLING, CANCELLED, EXPIRED, SKIPPED } = stateCodes;
/** The names as in the `counts` rows of a batch. */
const countNames: Readonly<Record<number, string>> = {
  ...{ [SUCCEEDED]: 'succeeded', [FAILED]: 'failed', [CANCELLED]: 'cancelled' },
  ...{ [EXPIRED]: 'expired', [SKIPPED]: 'skipped' },
};

interface BatchLife {
  readonly id: string;
  readonly plan: PlannedBatch | undefined;
  /** Members, with the state in which they have ended. */
  readonly members: Map<string, number | undefined>;
  /** Number of ends that the control plane has counted. */
  noted: number;
  counts: Readonly<Record<string, number>>;
  stopReason: boolean;
  isCancelled: boolean;
  isPaused: boolean;
  /** Position of the row that closed it: later it accepts no members. */
  closed: number | undefined;
  sealed: number | undefined;
  end: Ordered | undefined;
  callback: string | null;
}

export class BatchChecks extends TransactionChecks {
  readonly #lives = new Map<string, BatchLife>();
  readonly #ofMember = new Map<string, BatchLife>();
  readonly #cancelling = new Set<string>();
  /** Jobs by their callback. */
  readonly #callbacks = new Map<string, Ordered[]>();
  #requests: Requests | undefined;

  protected override settle(rows: readonly Ordered[]): void {
    for (const row of rows) this.#row(row);
    this.#judgeNew(rows);
    for (const life of this.#lives.values()) if (rows.some((row) => row.id === life.id)) this.#judge(life, rows);
    for (const row of rows) this.#cancelled(row);
  }

  protected override over(): void {
    for (const life of this.#lives.values()) {
      const made = this.#made(life);
      if (life.end && made.length !== Number(life.plan?.callback !== undefined))
        this.#violate(life, 'batches: callbacks', `has ${made.length} callbacks`);
    }
    this.#reads();
    this.#answers();
  }

  #made({ plan }: BatchLife): readonly Ordered[] {
    return this.#callbacks.get(plan?.callback?.owner ?? '') ?? [];
  }

  #row(row: Ordered): void {
    const life = this.#lives.get(row.id);
    if (row.kind === 'record') this.#record(row);
    else if (row.kind === 'end' && this.#ofMember.has(row.id))
      this.#ofMember.get(row.id)?.members.set(row.id, row.to ?? 0);
    else if (!life) return;
    else if (row.kind === 'end') life.end = row;
    else if (row.kind === 'move') this.#moved(life, row);
    else if (row.kind === 'counts') life.counts = JSON.parse(row.text ?? '{}');
    else if (row.kind === 'batch') this.#noted(life, row);
  }

  #moved(life: BatchLife, row: Ordered): void {
    if (row.to === CANCELLING) this.#close(life, row).isCancelled = true;
    life.isPaused = row.to === PAUSED;
    if (life.isPaused) this.evidence.history.count('batch: paused');
  }

  /** A new member of a paused batch is paused by the transaction that stores it. */
  #judgeNew(rows: readonly Ordered[]): void {
    for (const { id } of rows.filter(({ kind }) => kind === 'record')) {
      const life = this.#ofMember.get(id);
      if (!life?.isPaused) continue;
      this.evidence.history.count('batch: got a member while it was paused');
      if (!rows.some((row) => row.id === id && row.kind === 'move' && row.to === PAUSED))
        this.#violate(life, 'I17 pauses', `is paused, and its new member ${id} is not`);
    }
  }

  #record(row: Ordered): void {
    const facts = this.evidence.facts.get(row.id);
    if (isBatch(facts?.definition)) this.#lives.set(row.id, this.#newLife(row.id));
    const life = this.#lives.get(facts?.parent ?? '');
    if (life) {
      if (facts?.item !== life.members.size)
        this.#violate(life, 'batches: members', `has member ${row.id} at ${facts?.item}, not ${life.members.size}`);
      if (life.closed !== undefined || life.end)
        this.#violate(life, 'batches: members', `got member ${row.id} after it had been closed`);
      life.members.set(row.id, undefined);
      this.#ofMember.set(row.id, life);
    }
    const owner = facts?.retryOf || isBatch(facts?.definition) ? '' : decodeScript(facts?.input || '{}').owner;
    if (owner?.endsWith('-callback')) this.#callbacks.set(owner, [...(this.#callbacks.get(owner) ?? []), row]);
  }

  #newLife(id: string): BatchLife {
    const name = this.evidence.seen.get('batch made')?.find(({ facts }) => facts.job === id)?.facts.name;
    return {
      ...{ id, plan: this.evidence.plans.batches.get(String(name)), members: new Map(), noted: 0, counts: {} },
      ...{
        stopReason: false,
        isCancelled: false,
        isPaused: false,
        closed: undefined,
        sealed: undefined,
        end: undefined,
        callback: null,
      },
    };
  }

  #close(life: BatchLife, row: Ordered): BatchLife {
    life.closed ??= row.order;
    return life;
  }

  #noted(life: BatchLife, row: Ordered): void {
    life.noted = row.counted ?? 0;
    life.callback = row.otherId;
    life.stopReason = row.cause !== 0;
    if (row.until !== null) life.sealed ??= row.order;
    if (life.stopReason || row.until !== null) this.#close(life, row);
  }

  #judge(life: BatchLife, rows: readonly Ordered[]): void {
    if (life.noted !== life.members.size)
      this.#violate(life, 'batches: members', `notes ${life.noted} members, and has ${life.members.size}`);
    if (!life.end || !rows.includes(life.end)) return;
    const open = [...life.members].filter(([, state]) => state === undefined).map(([id]) => id);
    if (open.length > 0) this.#violate(life, 'batches: ends', `ended while ${open} were open`);
    if (life.sealed === undefined && !life.stopReason)
      this.#violate(life, 'batches: ends', 'ended, and was neither sealed nor stopped');
    this.#judgeEnd(life, life.end);
    if (life.plan?.callback) this.#judgeCallback(life, life.end, rows);
  }

  #judgeEnd(life: BatchLife, end: Ordered): void {
    this.evidence.history.count(`batch: ended ${names[end.to ?? 0]}`);
    const counts = countsOf(life);
    const noted = { members: life.noted, ...life.counts };
    if (JSON.stringify(noted) !== JSON.stringify(counts))
      this.#violate(life, 'batches: counts', `has ${JSON.stringify(noted)}, it should be ${JSON.stringify(counts)}`);
    const expected = endOf(life, counts);
    if (end.to !== expected)
      this.#violate(
        life,
        'batches: ends',
        `ended ${names[end.to ?? 0]} (${end.text}), it should be ${names[expected]}`,
      );
    else if (expected === SUCCEEDED && end.text !== JSON.stringify(counts))
      this.#violate(life, 'batches: counts', `has the result ${end.text}, it should be ${JSON.stringify(counts)}`);
  }

  /** The callback is submitted with the batch's end, and its input is the outcome. */
  #judgeCallback(life: BatchLife, end: Ordered, rows: readonly Ordered[]): void {
    const [callback, ...others] = this.#made(life).filter((row) => rows.includes(row));
    const reported = JSON.parse(this.evidence.facts.get(callback?.id ?? '')?.input || '{}');
    const expected = JSON.stringify({ batch: life.id, state: names[end.to ?? 0], counts: countsOf(life) });
    if (!callback || others.length > 0 || callback.id !== life.callback)
      this.#violate(life, 'batches: callbacks', `ended without the callback that it names, ${life.callback}`);
    else if (JSON.stringify({ batch: reported.batch, state: reported.state, counts: reported.counts }) !== expected)
      this.#violate(life, 'batches: callbacks', `gave its callback ${JSON.stringify(reported)}, it is ${expected}`);
    else this.evidence.history.count('batch: a callback was made');
  }

  /** The control plane cancels members of stopped batches only. */
  #cancelled(row: Ordered): void {
    const life = this.#ofMember.get(row.id);
    const isAsked = row.kind === 'move' && row.to === CANCELLING;
    const isGone = row.kind === 'end' && row.to === CANCELLED && !this.#cancelling.has(row.id);
    if (!life || !(isAsked || isGone)) return;
    this.#cancelling.add(row.id);
    this.#requests ??= new Requests(this.evidence);
    if (this.#requests.underWay(row, 'cancelJob', 'cancelJobs')) return;
    if (life.stopReason) this.evidence.history.count('batch: a member was cancelled with it');
    else this.#violate(life, 'batches: members', `has cancelled member ${row.id} without a request`);
  }

  /** Final reads of clients agree with the journal. */
  #reads(): void {
    for (const { facts } of this.evidence.seen.get('batch read') ?? []) {
      const life = this.#lives.get(String(facts.job));
      if (!life) continue;
      const { members, ...ended } = countsOf(life);
      const counts = [members, 0, ...Object.values(ended)].join();
      if (facts.counts !== counts)
        this.#violate(life, 'batches: counts', `was read with ${facts.counts}, it should be ${counts}`);
      if ((facts.callbackJobId || null) !== life.callback || facts.callbackError)
        this.#violate(
          life,
          'batches: callbacks',
          `was read with callback ${facts.callbackJobId || facts.callbackError}`,
        );
    }
  }

  /** A closed batch refuses members, and an answered seal is in the journal. */
  #answers(): void {
    for (const { facts, order } of this.evidence.seen.get('members refused') ?? []) {
      const life = this.#lives.get(String(facts.job));
      this.evidence.history.count(`batch: members refused, ${facts.reason}`);
      if (life && (life.closed ?? Number.POSITIVE_INFINITY) > order)
        this.#violate(life, 'batches: members', `refused members (${facts.reason}), and was open`);
    }
    for (const { facts, order } of this.evidence.seen.get('batch sealed') ?? []) {
      const life = this.#lives.get(String(facts.job));
      if (life && (life.closed ?? Number.POSITIVE_INFINITY) > order)
        this.#violate(life, 'batches: members', 'was answered as sealed, and is open');
    }
  }

  #violate({ id, plan }: BatchLife, invariant: string, what: string): void {
    this.evidence.history.violate(invariant, `batch ${id} (${plan?.name}) ${what}`);
  }
}

function countsOf({ members }: BatchLife): Readonly<Record<string, number>> {
  const states = [...members.values()];
  const ended = Object.entries(countNames).map(
    ([code, name]) => [name, states.filter((state) => state === Number(code)).length] as const,
  );
  return { members: members.size, ...Object.fromEntries(ended) };
}

function endOf({ isCancelled, plan }: BatchLife, counts: Readonly<Record<string, number>>): number {
  if (isCancelled) return CANCELLED;
  const { failed = 0, cancelled = 0, expired = 0 } = counts;
  const allowed = plan?.policy === 'ANY' ? Number.POSITIVE_INFINITY : plan?.policy === 'NONE' ? 0 : (plan?.policy ?? 0);
  return failed + cancelled + expired > allowed ? FAILED : SUCCEEDED;
}
