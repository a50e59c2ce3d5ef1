/**
 * Placement: at no prefix of the journal is more of a session in use than it has; jobs run where their demands are met,
 * and on their sticky worker; a job that ran out of memory gets more.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { GROWING } from '../../scenario/definitions.ts';
import type { Profile } from '../../scenario/profile.ts';
import { type Evidence, isGrant, type Ordered } from '../base/events.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;
const held: ReadonlySet<number | null> = new Set([ASSIGNED, RUNNING, CANCELLING]);

/** A reservation that was not requested for this time expires. */
const WAIT_LIFE_US = 10_000_000;

type Amounts = Readonly<Record<string, number>>;

interface Demanded {
  readonly zone: string | undefined;
  readonly resources: Amounts;
}

/** The demands of a lane as stored: an object of labels, or an array of those and the rest. */
function demandedIn(text: string | null): Demanded {
  const value = JSON.parse(text || '{}');
  const [labels, rest] = Array.isArray(value) ? value : [value, {}];
  const zone = labels.zone ?? (rest.required?.includes('"a"') ? 'a' : undefined);
  return { zone, resources: rest.resources ?? {} };
}

export class PlacementChecks {
  readonly #evidence: Evidence;
  readonly #workers = new Map<string, string>();
  /** The resources that each session's jobs use. */
  readonly #taken = new Map<string, Map<string, Amounts>>();
  readonly #sessionOf = new Map<string, string>();
  /** The minimum memory of each job. */
  readonly #memory = new Map<string, number>();
  /** Workers to which each job was granted. */
  readonly #ranOn = new Map<string, Set<string>>();
  /** Reserved sessions, by the lane that waits for them. */
  readonly #waits = new Map<number, { readonly session: string; readonly askedUs: number }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    if (row.kind === 'session') this.#workers.set(row.id, row.text ?? '');
    if (row.kind === 'attempt') this.#failed(row);
    if (row.kind === 'wait') this.#wait(row);
    if (row.kind !== 'create' && row.kind !== 'move' && row.kind !== 'remove') return;
    this.#taken.get(this.#sessionOf.get(row.id) ?? '')?.delete(row.id);
    if (row.kind === 'remove' || !held.has(row.to) || !row.sessionId) return;
    const demanded = demandedIn(row.demands);
    const session = this.#taken.get(row.sessionId) ?? new Map<string, Amounts>();
    this.#taken.set(row.sessionId, session.set(row.id, demanded.resources));
    this.#sessionOf.set(row.id, row.sessionId);
    if (isGrant(row)) this.#grant(row, demanded);
  }

  finish(): void {}

  #grant(row: Ordered, { zone, resources }: Demanded): void {
    const session = row.sessionId ?? '';
    const worker = this.#workers.get(session) ?? '';
    this.#checkTotals(row, session, resources);
    this.#checkFree(row, session, resources);
    if (zone !== undefined && this.#offerOf(worker)?.labels.zone !== zone)
      this.#violate(`job ${row.id} was granted to ${worker}, which is not in zone ${zone} (journal ${row.n})`);
    const memory = this.#memory.get(row.id);
    if (memory !== undefined && (resources.memory ?? 0) < memory)
      this.#violate(`job ${row.id} ran out of memory and gets ${resources.memory}, not ${memory} (journal ${row.n})`);
    if (memory !== undefined) this.#evidence.history.count('an attempt took more memory than the one before');
    this.#checkKept(row, worker);
    const ranOn = this.#ranOn.get(row.id) ?? new Set();
    this.#ranOn.set(row.id, ranOn.add(worker));
  }

  #checkTotals(row: Ordered, session: string, takes: Amounts): void {
    const jobs = [...(this.#taken.get(session)?.values() ?? [])];
    for (const name of Object.keys(takes)) {
      const sum = jobs.reduce((total, resources) => total + (resources[name] ?? 0), 0);
      const total = this.#offerOf(this.#workers.get(session) ?? '')?.resources[name] ?? 0;
      if (sum > total)
        this.#violate(`${sum} of ${name} are taken of session ${session}, which has ${total} (journal ${row.n})`);
      if (sum === total) this.#evidence.history.count('all of a resource was taken');
    }
  }

  #wait({ lane, sessionId, until }: Ordered): void {
    if (lane === null) return;
    if (sessionId === null) this.#waits.delete(lane);
    else this.#waits.set(lane, { session: sessionId, askedUs: until ?? 0 });
  }

  /** No job with demands is granted to a session that is reserved for another lane. */
  #checkFree(row: Ordered, session: string, takes: Amounts): void {
    if (Object.keys(takes).length === 0) return;
    const { transactionBegan, underWrongClock } = this.#evidence.history;
    const began = transactionBegan.get(row.at) ?? row.at;
    // Under a clock that is off, every reservation is too old.
    if (underWrongClock.has(began)) return;
    for (const [lane, wait] of this.#waits) {
      if (wait.session !== session || Math.abs(row.at - wait.askedUs) >= WAIT_LIFE_US) continue;
      if (lane === row.lane) this.#evidence.history.count('a job got the session that was kept free for it');
      else if (wait.askedUs < began)
        this.#violate(`job ${row.id} was granted to a session that is kept free for lane ${lane} (journal ${row.n})`);
    }
  }

  #checkKept(row: Ordered, worker: string): void {
    const { stickyTo } = this.#evidence.facts.get(row.id) ?? {};
    if (stickyTo === undefined) return;
    if (!this.#ranOn.get(stickyTo)?.has(worker))
      this.#violate(`job ${row.id} was granted to ${worker}, where job ${stickyTo} never was (journal ${row.n})`);
    this.#evidence.history.count('a job kept to the worker of another one');
  }

  #failed(row: Ordered): void {
    if (this.#evidence.facts.get(row.id)?.definition !== 'growing' || !row.text?.includes('"OutOfMemory"')) return;
    const before = this.#memory.get(row.id) ?? GROWING.memory;
    this.#memory.set(row.id, Math.min(GROWING.max, before * GROWING.factor));
  }

  #offerOf(worker: string): Profile['workers'][number] | undefined {
    const index = Number(worker.match(/\d+$/)?.[0] ?? 0) - 1;
    return this.#evidence.profile.workers[index];
  }

  #violate(what: string): void {
    this.#evidence.history.violate('I18 placement', what);
  }
}
