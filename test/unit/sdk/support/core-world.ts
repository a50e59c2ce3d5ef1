/** A session core whose server, bus, handlers and time are controlled by a test. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../../sdk/typescript/src/duration.ts';
import { MusterError } from '../../../../sdk/typescript/src/error.ts';
import { LeaseLossAction } from '../../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import type { Assignment } from '../../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import {
  AssignmentSchema,
  SessionMessageSchema,
} from '../../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import type { AttemptReport } from '../../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import { ReleaseReason, ReportResult } from '../../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import type { Credit } from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_pb.ts';
import type {
  CloseSessionRequest,
  CloseSessionResponse,
  OpenSessionRequest,
  OpenSessionResponse,
  ReportAttemptsRequest,
  ReportAttemptsResponse,
  SendHeartbeatRequest,
  SendHeartbeatResponse,
} from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import {
  OpenSessionResponseSchema,
  ReportAttemptsResponseSchema,
  SendHeartbeatResponseSchema,
} from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { BYTES_TYPE, payload } from '../../../../sdk/typescript/src/payload.ts';
import type {
  BusOptions,
  CoreEvent,
  CorePorts,
  HandlerOutcome,
  StopReason,
} from '../../../../sdk/typescript/src/worker/core/base/ports.ts';
import type { CoreOptions } from '../../../../sdk/typescript/src/worker/core/sessions/session-core.ts';
import { SessionCore } from '../../../../sdk/typescript/src/worker/core/sessions/session-core.ts';
import { settle, VirtualTime } from './virtual-time.ts';

/** A call of the core, answered by the test. */
export interface Call<Request, Response> {
  readonly request: Request;
  readonly sentAt: number;
  settled: boolean;
  answer(response: Response): Promise<void>;
  fail(code: number, reason?: string, retryDelayMs?: number): Promise<void>;
}

export type Beat = Call<SendHeartbeatRequest, SendHeartbeatResponse>;
export type Report = Call<ReportAttemptsRequest, ReportAttemptsResponse>;

export interface WorldOptions {
  readonly slots?: number;
  readonly beatInterval?: number;
  readonly lease?: number;
  readonly maxPayload?: number;
  readonly random?: () => number;
}

/** A subscription as the core requested it. */
export interface FakeBus {
  readonly options: BusOptions;
  reconnects: number;
  closed: boolean;
}

export class CoreWorld {
  readonly time = new VirtualTime();
  readonly opens: Call<OpenSessionRequest, OpenSessionResponse>[] = [];
  readonly beats: Beat[] = [];
  readonly reports: Report[] = [];
  readonly closes: Call<CloseSessionRequest, CloseSessionResponse>[] = [];
  readonly buses: FakeBus[] = [];
  readonly events: CoreEvent['type'][] = [];
  /** The assignment in each slot. */
  readonly running = new Map<number, Assignment>();
  /** Every assignment ever handed to a handler. */
  readonly started: Assignment[] = [];
  readonly stops: { slot: number; reason: StopReason }[] = [];
  /** Handlers are entered when they are handed over, unless this is false. */
  entersAtOnce = true;
  readonly entered = new Set<number>();
  readonly core: SessionCore;
  readonly #options: WorldOptions;
  #sessions = 0;
  #pings = 0n;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.core = new SessionCore(coreOptions(options.slots ?? 2), this.#ports());
  }

  /** The credits of every call so far, newest last. */
  get credits(): Credit[] {
    const calls = [...this.beats, ...this.reports].sort((a, b) => a.sentAt - b.sentAt);
    return calls.flatMap(({ request }) => request.credits).sort((a, b) => Number(a.creditId - b.creditId));
  }

  get voided(): number[] {
    return [...this.beats, ...this.reports].flatMap(({ request }) => request.voidedCreditIds.map(Number));
  }

  get lastBeat(): Beat {
    return last(this.beats, 'heartbeat');
  }

  get lastReport(): Report {
    return last(this.reports, 'report');
  }

  get lastCredit(): Credit {
    return last(this.credits, 'credit');
  }

  /** Every report ever sent, as [attempt's number, outcome]. */
  get outcomes(): string[] {
    return this.reports.flatMap(({ request }) => request.reports.map(outcomeText));
  }

  /** Starts the core and opens its session, without answering later calls. */
  async open(): Promise<void> {
    if (this.opens.length === 0) this.core.start();
    await this.openNext();
  }

  async openNext(): Promise<void> {
    await last(this.opens, 'OpenSession').answer(this.openResponse());
  }

  openResponse(): OpenSessionResponse {
    return create(OpenSessionResponseSchema, {
      sessionId: new Uint8Array(16).fill(++this.#sessions),
      beatInterval: durationFromMs(this.#options.beatInterval ?? 5_000),
      lease: durationFromMs(this.#options.lease ?? 15_000),
      natsUrls: ['nats://bus'],
      subject: `session.${this.#sessions}`,
      maxPayload: this.#options.maxPayload ?? 512 * 1024,
    });
  }

  /** Opens, connects the bus, pings, and answers until the first credit is granted. */
  async ready(): Promise<Credit> {
    await this.open();
    await this.connect(true);
    await this.ping();
    await this.answerBeats();
    return this.lastCredit;
  }

  async connect(connected: boolean): Promise<void> {
    last(this.buses, 'bus').options.onStatus(connected);
    await settle();
  }

  async ping(): Promise<void> {
    await this.deliver([], { ping: ++this.#pings });
  }

  /** Delivers assignments, and the given other content of a message, over the newest subscription. */
  async deliver(
    assignments: Assignment[],
    more: { cancels?: Assignment[]; suspends?: Assignment[]; ping?: bigint } = {},
  ): Promise<void> {
    const [cancels, suspends] = [more.cancels, more.suspends].map((of = []) =>
      of.map(({ jobId, attempt }) => ({ jobId, attempt })),
    ) as [object[], object[]];
    const message = create(SessionMessageSchema, { assignments, cancels, suspends, ping: more.ping ?? 0n });
    last(this.buses, 'bus').options.onMessage(message);
    await settle();
  }

  async answerBeats(reply: Partial<SendHeartbeatResponse> = {}): Promise<void> {
    for (const beat of this.beats) {
      if (!beat.settled) await beat.answer(create(SendHeartbeatResponseSchema, reply as object));
    }
  }

  /** Answers every open report call, each report with `result`. */
  async acknowledge(result: ReportResult = ReportResult.ACCEPTED): Promise<void> {
    for (const call of this.reports) {
      if (call.settled) continue;
      const results = call.request.reports.map(() => result);
      await call.answer(create(ReportAttemptsResponseSchema, { results }));
    }
  }

  /** Ends the handler of the assignment. */
  async end(assignment: Assignment, outcome: HandlerOutcome = result('done')): Promise<void> {
    this.endAll([assignment], outcome);
    await settle();
  }

  endAll(assignments: Assignment[], outcome: HandlerOutcome = result('done')): void {
    const ends = assignments.map((assignment) => {
      const slot = this.slotOf(assignment);
      this.running.delete(slot);
      this.entered.delete(slot);
      return { slot, outcome };
    });
    this.core.handlersEnded(ends);
  }

  slotOf(assignment: Assignment): number {
    for (const [slot, one] of this.running) if (one === assignment) return slot;
    throw new Error('no handler runs it');
  }

  /** Answers every heartbeat at once while time moves on by `ms`. */
  async advanceBeating(ms: number, step = 500): Promise<void> {
    for (let moved = 0; moved < ms; moved += step) {
      await this.time.advance(Math.min(step, ms - moved));
      await this.answerBeats();
    }
  }

  #ports(): CorePorts {
    return {
      clock: this.time,
      timers: this.time,
      random: this.#options.random ?? (() => 0),
      newId: () => `request-${this.opens.length}`,
      api: {
        openSession: (request) => this.#call(this.opens, request),
        heartbeat: (request) => this.#call(this.beats, request),
        reportAttempts: (request) => this.#call(this.reports, request),
        closeSession: (request) => this.#call(this.closes, request),
      },
      bus: { connect: (options) => this.#connectBus(options) },
      runner: {
        start: (slot, assignment) => this.#start(slot, assignment),
        hasStarted: (slot) => this.entered.has(slot),
        withdraw: (slot) => !this.entered.has(slot) && this.running.delete(slot),
        stop: (slot, reason) => void this.stops.push({ slot, reason }),
      },
      onEvent: (event) => void this.events.push(event.type),
      log: () => {},
    };
  }

  #start(slot: number, assignment: Assignment): void {
    if (this.running.has(slot)) throw new Error(`place ${slot} is taken`);
    this.running.set(slot, assignment);
    this.started.push(assignment);
    if (this.entersAtOnce) this.entered.add(slot);
  }

  #connectBus(options: BusOptions) {
    const bus: FakeBus = { options, reconnects: 0, closed: false };
    this.buses.push(bus);
    return {
      reconnect: () => void bus.reconnects++,
      close: () => {
        bus.closed = true;
      },
    };
  }

  #call<Q, R>(calls: Call<Q, R>[], request: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      const call: Call<Q, R> = {
        request,
        sentAt: this.time.now(),
        settled: false,
        answer: (response) => {
          call.settled = true;
          resolve(response);
          return settle();
        },
        fail: (code, reason = '', retryDelayMs = undefined) => {
          call.settled = true;
          reject(new MusterError({ code, reason, retryDelayMs, message: `planted ${code} ${reason}` }));
          return settle();
        },
      };
      calls.push(call);
    });
  }
}

function coreOptions(slots: number): CoreOptions {
  return {
    $typeName: 'muster.worker.v1.OpenSessionRequest',
    namespace: '',
    workerName: 'worker',
    protocolVersion: 1,
    capabilities: [],
    handlers: [{ $typeName: 'muster.v1.Handler', name: 'add', minVersion: 0, maxVersion: 2 }],
    labels: {},
    resources: {},
    slots,
  };
}

export interface AssignmentFacts {
  readonly attempt?: number;
  readonly prefetch?: boolean;
  readonly handler?: string;
  readonly version?: number;
  readonly runTimeoutMs?: number;
  readonly leaseLossAction?: LeaseLossAction;
}

/** Assigns job number `job` against a credit. */
export function assign(job: number, credit: Credit | bigint, facts: AssignmentFacts = {}): Assignment {
  const jobId = new Uint8Array(16);
  new DataView(jobId.buffer).setUint32(12, job);
  return create(AssignmentSchema, {
    jobId,
    attempt: facts.attempt ?? 1,
    creditId: typeof credit === 'bigint' ? credit : credit.creditId,
    handler: facts.handler ?? 'add',
    definition: 'add',
    definitionVersion: facts.version ?? 1,
    prefetch: facts.prefetch ?? false,
    leaseLossAction: facts.leaseLossAction ?? LeaseLossAction.ABORT,
    ...(facts.runTimeoutMs !== undefined && { runTimeout: durationFromMs(facts.runTimeoutMs) }),
  });
}

export function result(text: string): HandlerOutcome {
  return { kind: 'result', payload: payload(new TextEncoder().encode(text), BYTES_TYPE) };
}

export function failure(type = 'Error'): HandlerOutcome {
  return {
    kind: 'failure',
    failure: {
      $typeName: 'muster.v1.Failure',
      type,
      message: 'it broke',
      stackTrace: '',
      failureCause: 1,
      nonRetryable: false,
      exitCode: 0,
    },
  };
}

/** `<job>.<attempt> <outcome>`, with the reason of a release and the type of a failure. */
export function outcomeText(report: AttemptReport): string {
  const { jobId, attempt, outcome } = report;
  const job = new DataView(jobId.buffer, jobId.byteOffset).getUint32(12);
  const name = `${job}.${attempt} ${outcome.case}`;
  if (outcome.case === 'released') return `${name} ${releaseName(outcome.value.reason)}`;
  return outcome.case === 'failure' ? `${name} ${outcome.value.type}` : name;
}

function releaseName(reason: ReleaseReason): string {
  return Object.entries(ReleaseReason).find(([, value]) => value === reason)?.[0] ?? '?';
}

export function last<T>(items: readonly T[], what: string): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error(`no ${what} yet`);
  return item;
}
