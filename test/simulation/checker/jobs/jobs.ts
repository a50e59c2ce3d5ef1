/** Jobs: one pass over the journal. Paths, attempts, leases, fences, outcomes (I3 to I8). */
import {
  firstStates,
  isLegal,
  type JobEvent,
  type JobState,
  stateCodes,
  transitions,
} from '../../../../server/domain/jobs/job-state.ts';
import { decodeScript, resultOf, signature } from '../../nodes/handler-script.ts';
import { CLEANUP_MAX_ATTEMPTS, MAX_ATTEMPTS } from '../../scenario/definitions.ts';
import { hasNoWorker, isBatch } from '../../scenario/flows.ts';
import { type Closing, whyClosed } from '../base/closing.ts';
import { type Evidence, fenceOf, names, type Ordered } from '../base/events.ts';
import { SuspectChecks } from '../dispatch/suspects.ts';
import { RetryChecks } from '../retries/retries.ts';
import type { SessionChecks } from '../sessions/sessions.ts';
import { StepChecks } from '../workflows/steps.ts';

export interface JobLife {
  readonly id: string;
  state: number;
  /** Position of its creation in the merged order. */
  readonly createdAt: number;
  attempt: number;
  session: string | null;
  progress: number;
  /** Removed from the open jobs; its outcome must follow in the same statement. */
  removedAt: number | undefined;
  end: Ordered | undefined;
  /** A session held it when it ended. */
  wasHeld: boolean;
  readonly grants: { readonly fence: string; readonly order: number; closed: Closing | undefined }[];
}

const { ASSIGNED, RUNNING, WAITING, CANCELLING, SUCCEEDED, FAILED } = stateCodes;
const held: readonly number[] = [ASSIGNED, RUNNING, CANCELLING];
const first: readonly number[] = firstStates.map((state) => stateCodes[state]);
/** Close cause of a session. */
const MASS_LAPSE = 3;
const events = Object.keys(transitions) as JobEvent[];

export class JobChecks {
  readonly lives = new Map<string, JobLife>();
  readonly #evidence: Evidence;
  readonly #sessions: SessionChecks;
  readonly #suspects: SuspectChecks;
  readonly #retries: RetryChecks;
  readonly #steps: StepChecks;
  /** The newest job of each key. */
  readonly #ofKey = new Map<string, JobLife>();

  constructor(evidence: Evidence, sessions: SessionChecks) {
    this.#evidence = evidence;
    this.#sessions = sessions;
    this.#suspects = new SuspectChecks(evidence);
    this.#retries = new RetryChecks(evidence);
    this.#steps = new StepChecks(evidence);
  }

  take(row: Ordered): void {
    const life = this.lives.get(row.id);
    if (row.kind === 'record') return;
    if (row.kind === 'create') this.#create(row, life);
    else if (!life) this.#violate('I1 no loss', row, 'was never created');
    else this.#change(row, life);
  }

  /** Every granted attempt, by fence. */
  grants(): Map<string, JobLife['grants'][number]> {
    return new Map(
      [...this.lives.values()].flatMap((life) => life.grants.map((grant) => [grant.fence, grant] as const)),
    );
  }

  #create(row: Ordered, life: JobLife | undefined): void {
    if (life) this.#violate('I4 one terminal', row, 'was created twice');
    const waits = row.to === WAITING && isBatch(this.#evidence.facts.get(row.id)?.definition);
    if (!first.includes(row.to ?? 0) && !waits) this.#violate('I3 legal path', row, `began as ${row.to}`);
    const created: JobLife = {
      id: row.id,
      state: row.to ?? 0,
      createdAt: row.order,
      attempt: 0,
      session: null,
      progress: 0,
      removedAt: undefined,
      end: undefined,
      wasHeld: false,
      grants: [],
    };
    this.lives.set(row.id, created);
    this.#replaces(row, created);
    this.#steps.created(row);
    if (row.to !== ASSIGNED) return;
    this.#grant(row, created);
    this.#evidence.history.count('assigned as it was stored');
  }

  /** A key passes on only when its job has ended or was asked to stop. */
  #replaces(row: Ordered, life: JobLife): void {
    const key = this.#evidence.facts.get(row.id)?.key;
    if (key === undefined) return;
    const before = this.#ofKey.get(key);
    this.#ofKey.set(key, life);
    if (!before) return;
    this.#evidence.history.count(`replaced a job ${before.end ? 'that had ended' : names[before.state]}`);
    if (!before.end && before.state !== CANCELLING)
      this.#violate('I2 idempotent submit', row, `took its key from ${before.id}, which was ${names[before.state]}`);
  }

  #change(row: Ordered, life: JobLife): void {
    if (row.kind === 'erase' && life.end) {
      this.#evidence.history.count('erased');
      return;
    }
    if (life.end || row.kind === 'tampered' || row.kind === 'erase') {
      this.#violate('I4 one terminal', row, `has ended, and then: ${row.kind}`);
      return;
    }
    if (life.removedAt !== undefined && (row.kind !== 'end' || row.at !== life.removedAt)) {
      this.#violate('I4 one terminal', row, `was taken out without an outcome, and then: ${row.kind}`);
    }
    if (row.kind === 'move') this.#move(row, life);
    else if (row.kind === 'remove') this.#remove(row, life);
    else if (row.kind === 'end') this.#end(row, life);
    else if (row.kind === 'attempt') this.#attempt(row, life);
    else if (row.kind === 'touch') this.#touched(row);
    else if (row.kind === 'progress') this.#progress(row, life);
    else if (row.kind === 'checkpoint') this.#signed(row, life, 'checkpoint');
  }

  #remove(row: Ordered, life: JobLife): void {
    const { from } = row;
    if (from !== life.state)
      this.#violate('I3 legal path', row, `was ${names[life.state]}, the journal says ${names[from ?? 0]}`);
    life.removedAt = row.at;
    this.#suspects.ended(row);
    this.#close(row, life, undefined);
  }

  #move(row: Ordered, life: JobLife): void {
    const { from, to } = row;
    if (from !== life.state)
      this.#violate('I3 legal path', row, `was ${names[life.state]}, the journal says ${names[from ?? 0]}`);
    this.#legal(row, from ?? 0, to ?? 0);
    if (to === ASSIGNED) {
      this.#grant(row, life);
      this.#suspects.granted(row);
    } else if (row.attempt !== life.attempt)
      this.#violate(
        'I5 attempts rise',
        row,
        `changed its attempt from ${life.attempt} to ${row.attempt} outside a grant`,
      );
    if (held.includes(from ?? 0) && !held.includes(to ?? 0)) {
      this.#suspects.closed(row, this.#sessions.lives.get(life.session ?? ''));
      this.#close(row, life, to ?? 0);
    }
    this.#steps.moved(row);
    this.#continued(row);
    if (to === RUNNING) this.#seenRunning(row, life);
    if (to === CANCELLING) this.#evidence.history.count(`cancel of a job ${names[from ?? 0]}`);
    life.state = to ?? 0;
  }

  #grant(row: Ordered, life: JobLife): void {
    if ((row.attempt ?? 0) <= life.attempt)
      this.#violate('I5 attempts rise', row, `was granted attempt ${row.attempt} after ${life.attempt}`);
    const session = this.#sessions.lives.get(row.sessionId ?? '');
    if (session?.state !== 1)
      this.#violate('I6 leases', row, `was granted to session ${row.sessionId}, which is not open`);
    life.attempt = row.attempt ?? 0;
    life.session = row.sessionId;
    life.progress = 0;
    life.grants.push({ fence: fenceOf(row.id, row.attempt, row.sessionId), order: row.order, closed: undefined });
  }

  #seenRunning(row: Ordered, life: JobLife): void {
    const fence = fenceOf(row.id, life.attempt, life.session);
    const started = this.#evidence.starts.get(fence)?.some((start) => start.order < row.order);
    if (!started) this.#violate('I9 start needs lease', row, `is RUNNING, and no handler of ${fence} had started`);
  }

  /** The open attempt ends: some party must have the right to end it. */
  #close(row: Ordered, life: JobLife, to: number | undefined): void {
    const grant = life.grants.at(-1);
    if (!grant || grant.closed || life.session === null) return;
    const session = this.#sessions.lives.get(life.session);
    grant.closed = whyClosed(this.#evidence, row, grant.fence, session, to);
    if (grant.closed.reasons.length === 0) {
      this.#violate(
        'I6 leases',
        row,
        `lost attempt ${life.attempt} (${names[row.from ?? 0]} → ${to === undefined ? 'its end' : names[to]}) without a reason`,
      );
    }
    life.session = null;
  }

  /** An attempt was closed, and the job continues: the move follows in the same transaction. */
  #attempt(row: Ordered, life: JobLife): void {
    if (fenceOf(row.id, row.attempt, row.sessionId) !== fenceOf(row.id, life.attempt, life.session))
      this.#violate('I7 fencing', row, `closed attempt ${row.attempt}, its open one is ${life.attempt}`);
    this.#retries.closed(row, this.#byOutage(life));
    this.#steps.failed(row);
  }

  #continued(row: Ordered): void {
    const to = names[row.to ?? 0];
    if (row.to === ASSIGNED) this.#retries.granted(row);
    else if (to === 'PAUSED' || to === 'SCHEDULED' || to === 'READY') this.#retries.continued(row, to);
    if (this.#steps.changed(row)) this.#retries.moved(row);
  }

  #touched(row: Ordered): void {
    if (row.cause === 1) return;
    if (this.#steps.changed(row)) this.#retries.moved(row);
    else if (row.from === RUNNING) this.#evidence.history.count('the watchdog was content');
  }

  #lastByOutage(row: Ordered): boolean {
    return this.#sessions.lives.get(row.sessionId ?? '')?.cause === MASS_LAPSE;
  }

  #byOutage(life: JobLife): boolean {
    return this.#sessions.lives.get(life.session ?? '')?.cause === MASS_LAPSE;
  }

  #end(row: Ordered, life: JobLife): void {
    const { history } = this.#evidence;
    if (life.removedAt === undefined) this.#violate('I4 one terminal', row, 'has an outcome and is open');
    this.#legal(row, life.state, row.to ?? 0);
    if (row.attempt !== life.attempt)
      this.#violate('I7 fencing', row, `ended with attempt ${row.attempt}, its last is ${life.attempt}`);
    const most = this.#evidence.facts.get(row.id)?.cleanupOf === undefined ? MAX_ATTEMPTS : CLEANUP_MAX_ATTEMPTS;
    if ((row.counted ?? 0) > most) this.#violate('I5 attempts rise', row, `counts ${row.counted} attempts of ${most}`);
    const state = names[row.to ?? 0] as JobState;
    history.count(`ended ${state}`);
    if (row.text?.includes('"POISON"')) history.count('ended FAILED as poison');
    if (state === 'CANCELLED' && !held.includes(life.state)) history.count(`cancel of a job ${names[life.state]}`);
    if (row.to === SUCCEEDED) this.#success(row, life);
    life.wasHeld = held.includes(life.state);
    if (row.to === FAILED && life.wasHeld) this.#retries.failed(row, this.#lastByOutage(row));
    if (this.#steps.isGivenUp(row, life.state)) this.#retries.givenUp(row);
    this.#steps.ended(row, life.state);
    life.end = row;
  }

  /** The result must be that of the attempt in the record, reported by its session. */
  #success(row: Ordered, life: JobLife): void {
    const facts = this.#evidence.facts.get(row.id);
    if (hasNoWorker(facts?.definition)) return;
    const expected = signature(row.id, row.attempt ?? 0, row.sessionId ?? '');
    const script = facts?.cleanupOf === undefined ? decodeScript(facts?.input ?? '{}') : {};
    if (row.text !== resultOf(script, expected).text)
      this.#violate('I8 exactly-once completion', row, `has the result ${row.text} under the record of ${expected}`);
    const fence = life.grants.at(-1)?.fence;
    if (fence !== expected)
      this.#violate('I7 fencing', row, `was completed by ${expected}, its open attempt was ${fence}`);
  }

  #progress(row: Ordered, life: JobLife): void {
    this.#steps.spoke(row);
    if ((row.cause ?? 0) <= life.progress)
      this.#violate('I7 fencing', row, `set its progress back from ${life.progress} to ${row.cause}`);
    life.progress = row.cause ?? 0;
    if (row.text !== null) this.#signed(row, life, 'progress');
  }

  #signed(row: Ordered, life: JobLife, what: string): void {
    this.#evidence.history.count(`${what} saved`);
    const expected = signature(row.id, life.attempt, life.session ?? '');
    if (row.text?.split('#')[0] !== expected)
      this.#violate('I7 fencing', row, `took ${what} of ${row.text} while ${expected} was open`);
  }

  #legal(row: Ordered, from: number, to: number): void {
    const [source, destination] = [names[from] as JobState, names[to] as JobState];
    if (!events.some((event) => isLegal(event, source, destination)))
      this.#violate('I3 legal path', row, `went from ${source} to ${destination}`);
  }

  #violate(invariant: string, row: Ordered, what: string): void {
    this.#evidence.history.violate(invariant, `job ${row.id} ${what} (journal ${row.n}, order ${row.order})`);
  }
}
