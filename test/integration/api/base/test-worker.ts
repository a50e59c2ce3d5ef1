/** A worker that only acts on the test's request: one session, one subscription, no handlers. */
import { fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type Assignment,
  AssignmentSchema,
  type SuspendNotice,
  SuspendNoticeSchema,
} from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { type AttemptReportSchema, ReportResult } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import {
  type OpenSessionRequestSchema,
  type OpenSessionResponse,
  type SendHeartbeatRequestSchema,
  type SendHeartbeatResponse,
  SessionService,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { connectWorker, type Worker } from '../../bus/fixtures.ts';
import type { Rpc } from './rpc.ts';

const { openSession, sendHeartbeat: heartbeat, reportAttempts, closeSession } = SessionService.method;

export type Outcome = NonNullable<MessageInitShape<typeof AttemptReportSchema>['outcome']>;

/** The minimum of an OpenSession request. */
export function offerOf(
  ...handlers: string[]
): MessageInitShape<typeof OpenSessionRequestSchema> & { handlers: { name: string }[] } {
  return { workerName: 'test-worker', protocolVersion: 1, slots: 100, handlers: handlers.map((name) => ({ name })) };
}

export class TestWorker {
  readonly session: OpenSessionResponse;
  readonly #rpc: Rpc;
  readonly #bus: Worker;
  #credits = 0;
  #beats = 0;

  private constructor(rpc: Rpc, session: OpenSessionResponse, bus: Worker) {
    this.#rpc = rpc;
    this.session = session;
    this.#bus = bus;
  }

  /** Opens a session and subscribes to its subject; no heartbeat was sent yet. */
  static async open(rpc: Rpc, offer: MessageInitShape<typeof OpenSessionRequestSchema>): Promise<TestWorker> {
    const session = await rpc.call(openSession, offer);
    const { jwt = '', seed = '' } = session.natsCredentials ?? {};
    const bus = await connectWorker({ natsUrls: session.natsUrls, credentials: { jwt, seed, expireTimeMs: 0 } });
    await bus.listen(session.subject);
    return new TestWorker(rpc, session, bus);
  }

  get sessionId(): Uint8Array {
    return this.session.sessionId;
  }

  /** The session's id in its text form. */
  get sessionText(): string {
    return uuidFromBytes(this.session.sessionId);
  }

  /** The highest received ping. */
  get ping(): number {
    return Math.max(0, ...this.#bus.messages.map(({ ping }) => Number(ping)));
  }

  /** Every assignment received on the bus, in order. */
  get assigned(): Assignment[] {
    // Encoded again: the bus client returns views of its buffers, which do not compare as equal.
    return this.#bus.messages.flatMap(({ assignments }) =>
      assignments.map((one) => fromBinary(AssignmentSchema, toBinary(AssignmentSchema, one))),
    );
  }

  /** Ids of the jobs for which a cancel arrived on the bus. */
  get cancelled(): string[] {
    return this.#bus.messages.flatMap(({ cancels }) => cancels.map(({ jobId }) => uuidFromBytes(jobId)));
  }

  /** The requests to suspend an attempt that arrived on the bus. */
  get suspends(): SuspendNotice[] {
    return this.#bus.messages.flatMap(({ suspends }) =>
      suspends.map((one) => fromBinary(SuspendNoticeSchema, toBinary(SuspendNoticeSchema, one))),
    );
  }

  async beat(changes: MessageInitShape<typeof SendHeartbeatRequestSchema> = {}): Promise<SendHeartbeatResponse> {
    const echo = { sessionId: this.sessionId, pingEcho: BigInt(this.ping) };
    const reply = await this.#rpc.call(heartbeat, { ...echo, ...changes });
    this.#beats++;
    return reply;
  }

  /** Waits for the ping of each earlier heartbeat: a session that lags behind them counts as deaf. */
  async catchUp(): Promise<void> {
    await eventually('the pings of all heartbeats arrive', () => this.ping >= this.#beats);
  }

  /** Sends heartbeats until the server knows that its pings arrive; credits count only from then on. */
  async becomeReachable(): Promise<void> {
    await this.beat();
    await this.catchUp();
    await this.beat();
  }

  /** Grants `count` slots and waits until that many attempts have arrived. */
  async take(count: number): Promise<Assignment[]> {
    if (this.ping === 0) await this.becomeReachable();
    await this.catchUp();
    const before = this.assigned.length;
    await this.offer(count);
    await eventually(`${count} assignments arrive`, () => this.assigned.length >= before + count);
    return this.assigned.slice(before);
  }

  /** Grants `count` slots, and does not wait for attempts. */
  offer(count: number): Promise<SendHeartbeatResponse> {
    return this.beat({ credits: [{ creditId: BigInt(++this.#credits), slots: count }] });
  }

  /** Returns the names of the results. */
  async report(...reports: { of: Assignment; outcome: Outcome }[]): Promise<string[]> {
    const { results } = await this.#rpc.call(reportAttempts, {
      sessionId: this.sessionId,
      reports: reports.map(({ of, outcome }) => ({ jobId: of.jobId, attempt: of.attempt, outcome })),
    });
    return results.map(resultName);
  }

  /** Reports with the next heartbeat that the handlers of these have started. */
  started(...assignments: Assignment[]): Promise<SendHeartbeatResponse> {
    return this.beat({ heldAttempts: assignments.map(({ jobId, attempt }) => ({ jobId, attempt, started: true })) });
  }

  async close(): Promise<void> {
    await this.#rpc.call(closeSession, { sessionId: this.sessionId });
    await this.disconnect();
  }

  /** Leaves the bus; the session stays open. */
  disconnect(): Promise<void> {
    return this.#bus.connection.close();
  }
}

export function resultName(result: ReportResult): string {
  return Object.entries(ReportResult).find(([, value]) => value === result)?.[0] ?? String(result);
}

export const outcomes = {
  result: (data: Uint8Array | string = ''): Outcome => ({
    case: 'result',
    value: { data: typeof data === 'string' ? Buffer.from(data) : data, contentType: 'text/plain' },
  }),
  failure: (changes: object = {}): Outcome => ({
    case: 'failure',
    value: { type: 'ValueError', message: 'no', ...changes },
  }),
  released: (reason = 1): Outcome => ({ case: 'released', value: { reason: reason as 1 } }),
  cancelled: { case: 'cancelled', value: {} } satisfies Outcome,
  aborted: { case: 'aborted', value: {} } satisfies Outcome,
};
