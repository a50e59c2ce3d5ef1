/**
 * Workflows: each transaction that changes one is checked against the steps allowed by then, which a simple evaluator
 * computes.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { stepStates } from '../../../../server/domain/workflows/step-state.ts';
import type { Ordered } from '../base/events.ts';
import { Requests } from '../base/requests.ts';
import { takenFault } from './flow-caches.ts';
import type { Touched, Violate } from './flow-changes.ts';
import { judgeEnd, needsHelp } from './flow-ends.ts';
import { type Child, FlowLife, stepStateOf, stopReasonCodes } from './flow-life.ts';
import { judgeSteps } from './flow-steps.ts';
import { TransactionChecks } from './flow-transactions.ts';

const { PAUSED, WAITING, CANCELLING, CANCELLED } = stateCodes;

/** A transaction starts steps for at most a second by the clock of its replica, which may be fast. */
const SPENT_MS = 980;

export class FlowChecks extends TransactionChecks {
  readonly #lives = new Map<string, FlowLife>();
  readonly #children = new Map<string, { readonly life: FlowLife; readonly child: Child }>();
  #requests: Requests | undefined;
  #touched = new Map<string, Touched>();

  protected override settle(rows: readonly Ordered[]): void {
    this.#touched = new Map();
    for (const row of rows) this.#row(row);
    const hasLeft = this.#tookMs(rows) >= SPENT_MS;
    for (const touched of this.#touched.values()) {
      const { life, before } = touched;
      if ((before.phase ?? 0) === 0 && (life.phase ?? 0) > 0) life.needsHelp = needsHelp(life);
      judgeSteps(touched, hasLeft, this.#violate, this.evidence.history);
      if (touched.end) judgeEnd(touched, this.#violate, this.evidence.history);
    }
    for (const row of rows) this.#cancelled(row);
  }

  /** Final reads of clients agree with the journal. */
  protected override over(): void {
    for (const { facts } of this.evidence.seen.get('steps read') ?? []) {
      const life = this.#lives.get(String(facts.job));
      const states = life?.states.map((state) => stepStates[state]).join();
      if (life && states !== facts.states)
        this.#violate(life, 'workflows: reads', `has steps ${states}, and was read with ${facts.states}`);
    }
  }

  #tookMs(rows: readonly Ordered[]): number {
    const last = Math.max(...rows.map(({ at }) => at));
    return (last - (this.evidence.history.transactionBegan.get(last) ?? last)) / 1_000;
  }

  #row(row: Ordered): void {
    const life = this.#lives.get(row.id);
    if (row.kind === 'record') this.#record(row);
    else if (row.kind === 'end') this.#ended(row);
    else if (!life) return;
    else if (row.kind === 'move') this.#moved(life, row);
    else if (row.kind === 'touch') life.isLate ||= row.from === WAITING && row.until !== null && row.until <= row.at;
    else if (row.kind === 'step') this.#step(life, row);
    else if (row.kind === 'workflow') this.#workflow(life, row);
  }

  /** A workflow that is resumed in order to stop, since its time is over, has no due time any more. */
  #moved(life: FlowLife, row: Ordered): void {
    if (row.to === CANCELLING) life.isCancelled = true;
    if (row.from === WAITING && row.to === PAUSED) this.evidence.history.count('workflow: paused after its start');
    life.isPaused = row.to === PAUSED;
    const isLate = row.until !== null && row.until <= row.at && row.nextDue === null;
    if (row.from === PAUSED && row.to === WAITING && isLate) life.isLate = true;
  }

  #advances(life: FlowLife, what: string): void {
    if (life.isPaused) this.#violate(life, 'I17 pauses', `${what} while it is paused`);
  }

  #record(row: Ordered): void {
    const facts = this.evidence.facts.get(row.id);
    const plan = this.evidence.plans.flows.get(facts?.definition ?? '');
    if (plan) this.#lives.set(row.id, new FlowLife(row.id, plan, this.#lives.get(facts?.retryOf ?? '')));
    const life = this.#lives.get(facts?.parent ?? '');
    if (!life || !facts) return;
    this.#advances(life, `starts job ${row.id}`);
    const { step, item } = facts;
    const child: Child = { id: row.id, step, item, isCancelling: false, end: undefined };
    if (life.jobs(step).some((other) => other.item === item))
      this.#violate(life, 'workflows: one job', `has a second job ${row.id} of item ${item} of step ${step}`);
    if (facts.definition !== life.step(step)?.definition)
      this.#violate(life, 'workflows: one job', `has a job ${row.id} of ${facts.definition} for step ${step}`);
    if (facts.retryOf !== undefined) this.#retries(life, child, facts.retryOf);
    this.#touch(life).made.push(child);
    this.#children.set(row.id, { life, child });
    life.add(child);
  }

  #retries(life: FlowLife, { id, step }: Child, retryOf: string): void {
    const { history } = this.evidence;
    history.count('workflow: a step retried the workflow that had failed in its place');
    if (life.retryOf?.states[step] !== 'FAILED' || life.retryOf.jobs(step).at(-1)?.id !== retryOf)
      this.#violate(life, 'workflows: retries', `has job ${id} of step ${step} as the retry of ${retryOf}`);
  }

  #ended(row: Ordered): void {
    const own = this.#lives.get(row.id);
    if (own) {
      this.#touch(own).end = row;
      own.end = row;
    }
    const found = this.#children.get(row.id);
    if (found) found.life.ended(found.child, row);
  }

  #step(life: FlowLife, row: Ordered): void {
    this.#advances(life, 'changes a step');
    this.#touch(life);
    const step = row.lane ?? 0;
    life.states[step] = stepStateOf(row.to);
    if (row.text !== null) life.adopted.add(step);
    else if (row.until !== null && !life.taken.has(step)) this.#take(life, step, row);
  }

  #take(life: FlowLife, step: number, row: Ordered): void {
    const found = this.#children.get(row.otherId ?? '');
    const fault = takenFault({ life, step, takenUs: row.until as number }, found);
    if (fault)
      this.#violate(life, 'workflows: caches', `has step ${step} with the result of job ${row.otherId}, ${fault}`);
    if (!found) return;
    life.taken.set(step, found.child);
    const { history } = this.evidence;
    history.count('workflow: a step took an earlier result');
    if (found.life.plan !== life.plan) history.count("workflow: a step took another workflow's result");
  }

  #workflow(life: FlowLife, row: Ordered): void {
    this.#touch(life);
    life.phase = (row.to ?? 1) - 1;
    life.stopReason = row.cause ?? 0;
  }

  #touch(life: FlowLife): Touched {
    const found = this.#touched.get(life.id);
    if (found) return found;
    const { states, phase, stopReason } = life;
    const before = { states: [...states], phase, stopReason };
    const touched: Touched = { life, before, made: [], end: undefined };
    this.#touched.set(life.id, touched);
    return touched;
  }

  /** The control plane cancels jobs of a failing workflow's work, and of decided fan-outs. */
  #cancelled(row: Ordered): void {
    const { life, child } = this.#children.get(row.id) ?? {};
    if (!life || !child) return;
    const isAsked = row.kind === 'move' && row.to === CANCELLING;
    const isGone = row.kind === 'end' && row.to === CANCELLED && !child.isCancelling;
    if (!isAsked && !isGone) return;
    child.isCancelling = true;
    this.#requests ??= new Requests(this.evidence);
    if (this.#requests.underWay(row, 'cancelJob', 'cancelJobs')) return;
    const { history } = this.evidence;
    const { role } = life.step(child.step);
    if (life.decisions(child.step).size > 0)
      history.count('workflow: an item was cancelled that is not needed any more');
    else if (life.stopReason !== stopReasonCodes.NO && role === 'NORMAL')
      history.count("workflow: a step's job was cancelled with it");
    else
      this.#violate(
        life,
        'workflows: cancels',
        `has job ${row.id} of step ${child.step} (${role}) cancelled, which is needed`,
      );
  }

  readonly #violate: Violate = (life, invariant, what) =>
    this.evidence.history.violate(invariant, `workflow ${life.id} (${life.plan.name}) ${what}`);
}
