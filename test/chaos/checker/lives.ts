/** One pass over the journal: the life of each job and each session, checked step by step (I3 to I8). */
import {
  firstStates,
  isLegal,
  type JobEvent,
  type JobState,
  stateCodes,
  transitions,
} from '../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../server/domain/jobs/run.ts';
import type { JournalRow } from '../harness/journal.ts';
import { SHORT_RUN_TIMEOUT_MS } from '../load/mix.ts';
import { VARIETY } from '../load/variety.ts';
import type { Evidence, Findings } from './evidence.ts';

export interface Closing {
  readonly n: number;
  readonly at: number;
  /** How the attempt ended: the outcome of its record, RELEASED, or the state in which the job ended. */
  readonly how: string;
}

export interface Grant {
  readonly job: string;
  readonly attempt: number;
  readonly session: string;
  readonly n: number;
  readonly at: number;
  closed: Closing | undefined;
}

export interface JobLife {
  readonly id: string;
  /** A job of `Variety`, whose result is checked there, and which the control plane may have submitted by itself. */
  readonly isVariety: boolean;
  state: number;
  attempt: number;
  counted: number;
  session: string | null;
  /** Outcome of the attempt that is about to be closed, in the same transaction. */
  outcome: string | undefined;
  removed: JournalRow | undefined;
  end: JournalRow | undefined;
  readonly grants: Grant[];
}

export interface SessionLife {
  readonly id: string;
  readonly worker: string;
  readonly openedAt: number;
  state: number;
  leaseUntil: number;
  closing: JournalRow | undefined;
  closed: JournalRow | undefined;
}

export const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(stateCodes).map(([name, code]) => [code, name]),
);
const outcomeNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(attemptOutcomes).map(([name, code]) => [code, name]),
);
const { SCHEDULED, WAITING, ASSIGNED, RUNNING, CANCELLING, SUCCEEDED } = stateCodes;
const first: readonly number[] = firstStates.map((state) => stateCodes[state]);
const held: readonly number[] = [ASSIGNED, RUNNING, CANCELLING];
const events = Object.keys(transitions) as JobEvent[];
const OPEN = 1;
const CLOSING = 2;
const causes: Readonly<Record<number, string>> = { 1: 'LAPSE', 2: 'CLOSE', 3: 'MASS_LAPSE', 4: 'WORKER_LOST' };

export class Lives {
  readonly jobs = new Map<string, JobLife>();
  readonly sessions = new Map<string, SessionLife>();
  readonly #evidence: Evidence;
  readonly #findings: Findings;

  constructor(evidence: Evidence, findings: Findings) {
    this.#evidence = evidence;
    this.#findings = findings;
    for (const row of evidence.journal) {
      if (row.kind === 'session') this.#session(row);
      else this.#job(row);
    }
  }

  grantOf(job: string, attempt: number): Grant | undefined {
    return this.jobs.get(job)?.grants.find((grant) => grant.attempt === attempt);
  }

  #violate(invariant: string, row: JournalRow, what: string): void {
    this.#findings.violate(
      invariant,
      `${row.kind === 'session' ? 'session' : 'job'} ${row.id} ${what} (journal ${row.n})`,
    );
  }

  #job(row: JournalRow): void {
    const life = this.jobs.get(row.id);
    if (row.kind === 'create') this.#create(row);
    else if (!life) this.#violate('I1', row, 'was never created');
    else if (life.end || row.kind === 'tampered') this.#violate('I4', row, `has ended, and then: ${row.kind}`);
    else this.#change(row, life);
  }

  #create(row: JournalRow): void {
    if (this.jobs.has(row.id)) this.#violate('I4', row, 'was created twice');
    const isVariety = row.text === VARIETY;
    const isBatch = isVariety && row.to === WAITING;
    if (!first.includes(row.to ?? 0) && !isBatch) this.#violate('I3', row, `began as ${names[row.to ?? 0]}`);
    const created: JobLife = {
      id: row.id,
      isVariety,
      state: row.to ?? 0,
      attempt: 0,
      counted: 0,
      session: null,
      outcome: undefined,
      removed: undefined,
      end: undefined,
      grants: [],
    };
    this.jobs.set(row.id, created);
    if (row.to !== ASSIGNED) return;
    this.#grant(row, created);
    this.#findings.count('job assigned as it was stored');
  }

  #change(row: JournalRow, life: JobLife): void {
    if (life.removed && row.kind !== 'end')
      this.#violate('I4', row, `was taken out without an outcome, and then: ${row.kind}`);
    if (row.kind === 'attempt') life.outcome = outcomeNames[row.cause ?? 0];
    else if (row.kind === 'move') this.#move(row, life);
    else if (row.kind === 'remove') life.removed = row;
    else this.#end(row, life);
  }

  #move(row: JournalRow, life: JobLife): void {
    const [from, to] = [row.from ?? 0, row.to ?? 0];
    if (from !== life.state) this.#violate('I3', row, `was ${names[life.state]}, the journal says ${names[from]}`);
    this.#legal(row, from, to);
    if (to === ASSIGNED) this.#grant(row, life);
    else if (row.attempt !== life.attempt)
      this.#violate('I5', row, `changed its attempt from ${life.attempt} to ${row.attempt} outside a grant`);
    if (held.includes(from) && !held.includes(to)) this.#close(row, life, life.outcome ?? 'RELEASED');
    if (held.includes(from) && held.includes(to) && row.sessionId !== life.session)
      this.#violate('I6', row, 'changed its session without a grant');
    this.#findings.count(`transition ${names[from]} → ${names[to]}`);
    this.#counted(row, life);
    life.state = to;
  }

  /** I5 and I6: attempt numbers rise, and the session is open at that moment. */
  #grant(row: JournalRow, life: JobLife): void {
    const session = this.sessions.get(row.sessionId ?? '');
    if ((row.attempt ?? 0) <= life.attempt)
      this.#violate('I5', row, `was granted attempt ${row.attempt} after ${life.attempt}`);
    if (session?.state !== OPEN) this.#violate('I6', row, `was granted to session ${row.sessionId}, which is not open`);
    if (life.session !== null) this.#violate('I6', row, `was granted while session ${life.session} held it`);
    life.attempt = row.attempt ?? 0;
    life.session = row.sessionId;
    life.grants.push({
      job: row.id,
      attempt: life.attempt,
      session: row.sessionId ?? '',
      n: row.n,
      at: row.at,
      closed: undefined,
    });
  }

  /** I6: an attempt is ended only by a party that may end it. */
  #close(row: JournalRow, life: JobLife, how: string): void {
    const grant = life.grants.at(-1);
    life.outcome = undefined;
    life.session = null;
    if (!grant || grant.closed) return;
    grant.closed = { n: row.n, at: row.at, how };
    this.#findings.count(`attempt closed: ${how}`);
    const session = this.sessions.get(grant.session);
    const cause = session?.closing ? causes[session.closing.cause ?? 0] : undefined;
    if (how === 'LAPSED' && cause !== 'LAPSE' && cause !== 'MASS_LAPSE')
      this.#violate('I6', row, `lapsed under session ${grant.session}, which did not`);
    if (how === 'SESSION_CLOSED' && cause !== 'CLOSE' && cause !== 'WORKER_LOST')
      this.#violate('I6', row, `was taken from session ${grant.session}, which was not closed`);
    // Whether the control plane or, by its own clock, the worker found the timeout: no job gets less time.
    if (how === 'TIMED_OUT' && row.at - grant.at < SHORT_RUN_TIMEOUT_MS * 1_000)
      this.#violate('I6', row, 'timed out before its time');
  }

  #counted(row: JournalRow, life: JobLife): void {
    const counted = row.counted ?? 0;
    if (counted !== life.counted && !(counted === life.counted + 1 && row.to === SCHEDULED))
      this.#violate('I5', row, `counts ${counted} attempts after ${life.counted}`);
    if (counted > this.#evidence.maxAttempts)
      this.#violate('I5', row, `counts ${counted} attempts of ${this.#evidence.maxAttempts}`);
    life.counted = counted;
  }

  /** I7 and I8: the outcome is that of the open attempt, and a result is the one that the attempt's worker returned. */
  #end(row: JournalRow, life: JobLife): void {
    const state = names[row.to ?? 0] as JobState;
    if (!life.removed) this.#violate('I4', row, 'has an outcome and is open');
    this.#legal(row, life.state, row.to ?? 0);
    this.#findings.count(`ended ${state}`);
    if (row.attempt !== life.attempt)
      this.#violate('I7', row, `ended with attempt ${row.attempt}, its last is ${life.attempt}`);
    if ((row.counted ?? 0) > this.#evidence.maxAttempts) this.#violate('I5', row, `counts ${row.counted} attempts`);
    if (row.to === SUCCEEDED) this.#success(row, life);
    if (life.session !== null) this.#close(row, life, state);
    life.end = row;
  }

  #success(row: JournalRow, life: JobLife): void {
    const session = this.sessions.get(row.sessionId ?? '');
    if (row.sessionId !== life.session)
      this.#violate('I7', row, `was completed by session ${row.sessionId} while ${life.session} held it`);
    if (session && session.state !== OPEN)
      this.#findings.count('completed in the moment in which its session was closed');
    const expected = JSON.stringify({ by: `${row.id}/${row.attempt}/${session?.worker}` });
    if (!life.isVariety && row.text !== expected && !isContextOf(row))
      this.#violate('I8', row, `has the result ${row.text} under the record of ${expected}`);
  }

  #legal(row: JournalRow, from: number, to: number): void {
    const [source, destination] = [names[from] as JobState, names[to] as JobState];
    if (!events.some((event) => isLegal(event, source, destination)))
      this.#violate('I3', row, `went from ${source} to ${destination}`);
  }

  #session(row: JournalRow): void {
    const life = this.sessions.get(row.id);
    if (!life) {
      if (row.from !== null || row.to !== OPEN) this.#violate('I3', row, `began in state ${row.to}`);
      this.sessions.set(row.id, {
        id: row.id,
        worker: row.text ?? '',
        openedAt: row.at,
        state: OPEN,
        leaseUntil: row.until ?? 0,
        closing: undefined,
        closed: undefined,
      });
      this.#findings.count('session opened');
      return;
    }
    if (row.from !== life.state) this.#violate('I3', row, `was ${life.state}, the journal says ${row.from}`);
    // Only a step of the database's clock makes a lease that is longer, and it is cut afterwards.
    const isTooLong = life.leaseUntil > row.at + 2 * this.#evidence.leaseMs * 1000;
    const shorterUs = life.leaseUntil - (row.until ?? 0);
    if (shorterUs > 0 && !isTooLong) {
      const leftUs = life.leaseUntil - row.at;
      this.#violate('I6', row, `has a lease that is ${shorterUs} us shorter than before; ${leftUs} us of it were left`);
    }
    if (row.to !== row.from) this.#moved(row, life);
    else if (row.to !== OPEN) this.#violate('I7', row, `was changed in state ${row.to}`);
    life.leaseUntil = row.until ?? 0;
    life.state = row.to ?? 0;
  }

  #moved(row: JournalRow, life: SessionLife): void {
    if (row.from === OPEN && row.to === CLOSING) {
      const cause = causes[row.cause ?? 0] ?? 'nothing';
      life.closing = row;
      this.#findings.count(`session closed by ${cause}`);
      // As the replica that closed it sees it.
      const { leaseMs, minLeaseMs = leaseMs } = this.#evidence;
      const spareUs = cause === 'MASS_LAPSE' ? minLeaseMs * 1000 : 0;
      if (cause !== 'CLOSE' && cause !== 'WORKER_LOST' && life.leaseUntil + spareUs > row.at)
        this.#violate(
          'I6',
          row,
          `was closed by ${cause} ${(life.leaseUntil + spareUs - row.at) / 1000} ms before its lease ended`,
        );
    } else if (row.from === CLOSING && row.to === 3) life.closed = row;
    else this.#violate('I3', row, `went from ${row.from} to ${row.to}`);
  }
}

/** The result of a conformance worker is the context that its handler had. */
function isContextOf({ id, attempt, text }: JournalRow): boolean {
  const result: unknown = JSON.parse(text ?? 'null');
  if (typeof result !== 'object' || result === null || !('job_id' in result && 'attempt' in result)) return false;
  return result.job_id === id && result.attempt === attempt;
}
