/** A hostile server and bus: the actions of a random walk on a session core, and the invariants. */
import { Code } from '../../../../sdk/typescript/src/error.ts';
import { LeaseLossAction } from '../../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import type { LogRecord } from '../../../../sdk/typescript/src/gen/muster/v1/log_record_pb.ts';
import type { Assignment } from '../../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import type { AttemptReport } from '../../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import { ReportResult } from '../../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import type { Credit } from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_pb.ts';
import type { SendHeartbeatRequest } from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { logLine } from '../../../../sdk/typescript/src/worker/log-line.ts';
import type { Beat, Report } from './core-world.ts';
import { assign, CoreWorld, failure, outcomeText, result } from './core-world.ts';

/** A step of the walk. `pick` chooses among the possible targets. */
export interface Step {
  readonly kind:
    | 'assign'
    | 'assignDead'
    | 'duplicate'
    | 'cancel'
    | 'cancelUnseen'
    | 'end'
    | 'extend'
    | 'log'
    | 'enter'
    | 'answerBeat'
    | 'failBeat'
    | 'loseLease'
    | 'acknowledge'
    | 'failReport'
    | 'wait'
    | 'break'
    | 'connect'
    | 'ping';
  readonly pick: number;
}

/** The history of one attempt. */
interface Trail {
  started: number;
  entered: boolean;
  outcomes: Set<string>;
  acknowledged: boolean;
  /** Log records: the last one of the handler, and the last one that the server has. */
  written: number;
  kept: number;
}

export class RoughServer {
  readonly world: CoreWorld;
  readonly slots: number;
  readonly #sent: Assignment[] = [];
  readonly #trails = new Map<string, Trail>();
  #session = 1;
  #seenReports = 0;
  #seenStarts = 0;
  #jobs = 0;

  constructor(slots: number) {
    this.slots = slots;
    this.world = new CoreWorld({ slots });
    this.world.entersAtOnce = false;
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.world.ready();
    for (const step of steps) {
      await this.#act(step);
      this.check();
    }
    await this.#heal();
    this.check();
    this.#checkEnd();
  }

  async #act({ kind, pick }: Step): Promise<void> {
    const { world } = this;
    switch (kind) {
      case 'assign':
        return this.#assign(pick);
      case 'assignDead':
        return this.#send(assign(++this.#jobs, BigInt(10_000 + pick)));
      case 'duplicate':
        return this.#sent.length > 0 ? world.deliver([choose(this.#sent, pick)]) : undefined;
      case 'cancel':
        return this.#sent.length > 0 ? world.deliver([], { cancels: [choose(this.#sent, pick)] }) : undefined;
      case 'cancelUnseen':
        return world.deliver([], { cancels: [assign(this.#jobs + 1, 0n)] });
      case 'enter':
        return this.#enter(pick);
      case 'end':
        return this.#end(pick);
      case 'extend':
        return this.#extend(pick);
      case 'log':
        return this.#log(pick);
      case 'answerBeat':
        return this.#withOpen(world.beats, pick, (beat) => this.#answerBeat(beat));
      case 'failBeat':
        // Some of those that fail have done their work: only the answer was lost.
        return this.#withOpen(world.beats, pick, (beat) => {
          if (pick % 2 === 0) this.#onMessage(beat);
          return beat.fail(Code.UNAVAILABLE);
        });
      case 'loseLease':
        return this.#loseLease(pick);
      case 'acknowledge':
        return this.#withOpen(world.reports, pick, (report) => this.#acknowledge(report));
      case 'failReport':
        return this.#withOpen(world.reports, pick, (report) => report.fail(Code.UNAVAILABLE));
      case 'wait':
        return world.time.advance([1, 50, 300, 1_000, 4_000, 9_000][pick % 6] ?? 1);
      case 'break':
        return world.connect(false);
      case 'connect':
        return world.connect(true);
      case 'ping':
        return world.ping();
      default:
        kind satisfies never;
    }
  }

  /** Assigns against any credit that was ever granted in the session, even a spent one. */
  #assign(pick: number): Promise<void> | undefined {
    const credits = this.#credits();
    if (credits.length === 0) return undefined;
    const credit = credits[Math.max(0, credits.length - 1 - (pick % 3))] as Credit;
    return this.#send(
      assign(++this.#jobs, credit, {
        prefetch: pick % 2 === 1,
        runTimeoutMs: pick % 4 === 0 ? 5_000 : 3_600_000,
        leaseLossAction: pick % 5 === 0 ? LeaseLossAction.CONTINUE : LeaseLossAction.ABORT,
      }),
    );
  }

  #send(assignment: Assignment): Promise<void> {
    this.#sent.push(assignment);
    return this.world.deliver([assignment]);
  }

  #enter(pick: number): void {
    const slotTable = [...this.world.running.keys()].filter((slot) => !this.world.entered.has(slot));
    if (slotTable.length === 0) return;
    const slot = choose(slotTable, pick);
    this.world.entered.add(slot);
    const assignment = this.world.running.get(slot);
    if (assignment) this.#trail(assignment).entered = true;
  }

  #end(pick: number): Promise<void> | undefined {
    const ending = [...this.world.running].filter(([slot]) => this.world.entered.has(slot));
    if (ending.length === 0) return undefined;
    const [, assignment] = choose(ending, pick);
    return this.world.end(assignment, pick % 3 === 0 ? failure() : result('done'));
  }

  #extend(pick: number): void {
    const slotTable = [...this.world.running.keys()];
    if (slotTable.length > 0) this.world.core.extendRunTimeout(choose(slotTable, pick), 100 * pick);
  }

  #log(pick: number): void {
    const running = [...this.world.running].filter(([slot]) => this.world.entered.has(slot));
    if (running.length === 0) return;
    const [slot, assignment] = choose(running, pick);
    const sequence = ++this.#trail(assignment).written;
    this.world.core.log(slot, [logLine(sequence, 0, 'info', 'a line')]);
  }

  #answerBeat(beat: Beat): Promise<void> {
    this.#onMessage(beat);
    return beat.answer(emptyReply());
  }

  #onMessage(beat: Beat): void {
    for (const update of beat.request.progress) this.#keep(this.#trailOf(keyOf(update)), update.logs);
  }

  /** Keeps records after the last one it has, as the server does. */
  #keep(trail: Trail, logs: readonly LogRecord[]): void {
    for (const { sequence } of logs) {
      if (Number(sequence) > trail.kept + 1) throw new Error(`record ${trail.kept + 1} was never sent`);
      trail.kept = Math.max(trail.kept, Number(sequence));
    }
  }

  async #loseLease(pick: number): Promise<void> {
    // Rare: otherwise no session would live long enough for anything else to happen.
    if (pick % 10 !== 0) return;
    const beat = this.world.beats.find((one) => !one.settled);
    if (beat === undefined) return;
    this.check();
    await beat.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    await this.world.time.advance(1_000);
    this.#session++;
    this.#sent.length = 0;
    for (const trail of this.#trails.values()) trail.acknowledged = true;
    await this.world.ready();
  }

  async #acknowledge(report: Report): Promise<void> {
    const { reports } = report.request;
    // Recorded before the answer: anything sent after it repeats a closed attempt.
    this.check();
    for (const one of reports) this.#closeTrail(one);
    const results = reports.map(() => ReportResult.ACCEPTED);
    await report.answer({ $typeName: 'muster.worker.v1.ReportAttemptsResponse', results });
  }

  #closeTrail(report: AttemptReport): void {
    const trail = this.#trailOf(keyOf(report));
    trail.acknowledged = true;
    this.#keep(trail, report.logs);
    const whole = report.outcome.case === 'result' || report.outcome.case === 'cancelled';
    if (whole && trail.kept < trail.written) throw new Error(`${trail.written} records written, ${trail.kept} sent`);
  }

  #withOpen<T extends Beat | Report>(
    calls: T[],
    pick: number,
    act: (call: T) => Promise<void>,
  ): Promise<void> | undefined {
    const open = calls.filter((call) => !call.settled && this.#isCurrent(call.request));
    return open.length > 0 ? act(choose(open, pick)) : undefined;
  }

  /** The invariants after every step. */
  check(): void {
    const { world } = this;
    if (world.running.size > this.slots) throw new Error(`${world.running.size} handlers run in ${this.slots} slots`);
    for (; this.#seenStarts < world.started.length; this.#seenStarts++) {
      const trail = this.#trail(world.started[this.#seenStarts] as Assignment);
      if (++trail.started > 1) throw new Error('an attempt was started twice');
    }
    for (; this.#seenReports < world.reports.length; this.#seenReports++) {
      for (const report of (world.reports[this.#seenReports] as Report).request.reports) {
        this.#checkReport(this.#trailOf(keyOf(report)), outcomeText(report));
      }
    }
  }

  #checkReport(trail: Trail, outcome: string): void {
    if (trail.acknowledged) {
      if (!outcome.includes('released')) throw new Error(`reported after its acknowledgement: ${outcome}`);
      return;
    }
    trail.outcomes.add(outcome);
    if (trail.outcomes.size > 1) throw new Error(`two outcomes: ${[...trail.outcomes]}`);
    if (trail.entered && outcome.includes('released'))
      throw new Error(`released after its handler was entered: ${outcome}`);
  }

  /** Everything works again and every handler returns: all open attempts must end. */
  async #heal(): Promise<void> {
    const { world } = this;
    await world.connect(true);
    await world.ping();
    for (let round = 0; round < 40; round++) {
      await this.#withAll(world.beats, (beat) => this.#answerBeat(beat));
      await this.#withAll(world.reports, (report) => this.#acknowledge(report));
      for (const slot of world.running.keys()) this.#enter(slot);
      world.endAll([...world.running.values()].filter((one) => world.entered.has(world.slotOf(one))));
      await world.time.advance(500);
    }
  }

  async #withAll<T extends Beat | Report>(calls: T[], act: (call: T) => Promise<void>): Promise<void> {
    for (const call of calls.filter((one) => !one.settled && this.#isCurrent(one.request))) await act(call);
  }

  #checkEnd(): void {
    const { heldAttempts: held } = this.world.lastBeat.request;
    if (held.length > 0) throw new Error(`${held.length} attempts are held for ever`);
    for (const [key, trail] of this.#trails) {
      if (trail.started > 0 && !trail.acknowledged) throw new Error(`${key} was started and never reported`);
    }
    const promised = this.#credits().at(-1);
    if (promised === undefined) throw new Error('nothing is granted in the end');
  }

  #credits(): Credit[] {
    const calls = [...this.world.beats, ...this.world.reports].filter(({ request }) => this.#isCurrent(request));
    return calls.flatMap(({ request }) => request.credits).sort((a, b) => Number(a.creditId - b.creditId));
  }

  #isCurrent({ sessionId }: Pick<SendHeartbeatRequest, 'sessionId'>): boolean {
    return sessionId[0] === this.#session;
  }

  #trail(assignment: Assignment): Trail {
    return this.#trailOf(keyOf(assignment));
  }

  #trailOf(key: string): Trail {
    let trail = this.#trails.get(key);
    if (trail === undefined) {
      trail = { started: 0, entered: false, outcomes: new Set(), acknowledged: false, written: 0, kept: 0 };
      this.#trails.set(key, trail);
    }
    return trail;
  }
}

function keyOf({ jobId, attempt }: Pick<Assignment, 'jobId' | 'attempt'>): string {
  return `${Buffer.from(jobId).toString('hex')}.${attempt}`;
}

function choose<T>(items: readonly T[], pick: number): T {
  return items[pick % items.length] as T;
}

function emptyReply() {
  return {
    $typeName: 'muster.worker.v1.SendHeartbeatResponse' as const,
    assignments: [],
    cancels: [],
    drain: false,
    reconnectBus: false,
    natsUrls: [],
    suspends: [],
  };
}
