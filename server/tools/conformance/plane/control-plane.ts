/** A control plane for one worker process. It implements the contract, with the faults that a case asks for. */
import { randomUUID } from 'node:crypto';
import { create, type Message } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { type NatsCredentials, NatsCredentialsSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';
import {
  CloseSessionResponseSchema,
  type OpenSessionRequest,
  type OpenSessionResponse,
  OpenSessionResponseSchema,
  type ReportAttemptsRequest,
  type SendHeartbeatRequest,
  SessionService,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { sessionSubject } from '../../../bus/subjects.ts';
import { uuidToBytes } from '../../../domain/base/uuid.ts';
import { durationOf } from '../durations.ts';
import { type Fault, Faults } from '../faults.ts';
import { Line } from '../line.ts';
import { leaseLost, type Refusal } from '../refusal.ts';
import { Watch } from '../watch.ts';
import type { Bus } from './bus.ts';
import { JobStore } from './job-store.ts';
import { type Answer, type Call, RpcServer } from './rpc-server.ts';
import { Session } from './session.ts';

/** The answer to OpenSession. */
export interface Terms {
  readonly beatMs: number;
  readonly leaseMs: number;
  readonly maxPayload: number;
  /** Lifetime of the first credentials for the bus. */
  readonly accessMs: number;
}

type Effect = { readonly message: Message } | { readonly refusal: typeof leaseLost };

export class ControlPlane {
  terms: Terms;
  readonly faults = new Faults();
  readonly watch: Watch;
  readonly jobs = new JobStore();
  /** In order of arrival, whatever their result. */
  readonly calls: Call[] = [];
  readonly sessions: Session[] = [];
  readonly bus: Bus;
  /** Whether the bus carries pings for sessions opened from now on. */
  hasPings = true;
  /** `next_beat` of sessions opened from now on. */
  quickBeatMs: number | undefined;
  /** Whether OpenSession returns credentials for another session's subject. */
  givesForeignAccess = false;
  /** The worker's addresses of gRPC and the bus. */
  rpcLine!: Line;
  busLine!: Line;
  readonly #formerBusLines: Line[] = [];
  /** The worker's data on the bus. */
  busWords = '';
  #server!: RpcServer;
  readonly #changed: () => void;
  readonly #opened = new Map<string, Session>();

  private constructor(bus: Bus, terms: Terms, changed: () => void) {
    this.bus = bus;
    this.terms = terms;
    this.#changed = changed;
    this.watch = new Watch(changed);
  }

  /** @param changed Called whenever the worker has sent something. */
  static async start(bus: Bus, terms: Terms, changed: () => void): Promise<ControlPlane> {
    const plane = new ControlPlane(bus, terms, changed);
    plane.#server = await RpcServer.start([SessionService, JobService], (call) => plane.#answer(call));
    plane.rpcLine = await Line.open(plane.#server.port);
    plane.busLine = await plane.#openBusLine();
    return plane;
  }

  /** The address that the worker connects to. */
  get address(): string {
    return `127.0.0.1:${this.rpcLine.port}`;
  }

  get session(): Session | undefined {
    return this.sessions.at(-1);
  }

  callsOf(method: string): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  access(sessionId: string, lifeMs: number): NatsCredentials {
    const { jwt, seed, expireTimeMs } = this.bus.access(sessionId, lifeMs);
    return create(NatsCredentialsSchema, { jwt, seed, expireTime: timestampFromMs(expireTimeMs) });
  }

  /** The bus gets another address, and the former one stays as it is. */
  async moveBus(): Promise<void> {
    this.#formerBusLines.push(this.busLine);
    this.busLine = await this.#openBusLine();
  }

  get busUrl(): string {
    return `nats://127.0.0.1:${this.busLine.port}`;
  }

  async stop(): Promise<void> {
    await Promise.all([this.rpcLine, this.busLine, ...this.#formerBusLines].map((line) => line.close()));
    this.#server.stop();
  }

  #openBusLine(): Promise<Line> {
    return Line.open(this.bus.port, (text) => {
      this.busWords = (this.busWords + text).slice(-20_000);
      this.#changed();
    });
  }

  async #answer(call: Call): Promise<Answer> {
    this.calls.push(call);
    const fault = this.faults.next(call.method, call.request);
    const answer = fault ? await this.#spoiled(call, fault) : this.#whole(call);
    this.#changed();
    return answer;
  }

  #whole(call: Call): Answer {
    const effect = this.#effect(call);
    if ('message' in effect) this.#settled(call);
    return effect;
  }

  async #spoiled(call: Call, { takesEffect = false, seen }: Fault): Promise<Answer> {
    const late = typeof seen === 'object' && 'delayMs' in seen ? seen : undefined;
    const effect = takesEffect || (late && !late.refusal) ? this.#effect(call) : undefined;
    this.#changed();
    if (seen === 'nothing') return 'silence';
    if (seen === 'cut') {
      this.rpcLine.cut();
      return 'silence';
    }
    if (!late) return { refusal: seen as Refusal };
    await new Promise((resolve) => setTimeout(resolve, late.delayMs));
    if (late.refusal) return { refusal: late.refusal };
    if (effect && 'message' in effect && !call.isGone) this.#settled(call);
    return effect ?? 'silence';
  }

  /** The worker will read the answer. */
  #settled(call: Call): void {
    if (call.method === 'ReportAttempts') this.#sessionOf(call)?.answered(call.request as ReportAttemptsRequest);
  }

  #effect(call: Call): Effect {
    switch (call.method) {
      case 'OpenSession':
        return { message: this.#open(call) };
      case 'SendHeartbeat':
      case 'ReportAttempts':
      case 'CloseSession':
        return this.#ofSession(call);
      default:
        return this.jobs.answer(call);
    }
  }

  #ofSession(call: Call): Effect {
    const session = this.#sessionOf(call);
    this.watch.call(call, session);
    if (!session || session.isLost) return { refusal: leaseLost };
    if (call.method === 'CloseSession') {
      session.isClosed = true;
      return { message: create(CloseSessionResponseSchema) };
    }
    const message = call.method === 'SendHeartbeat' ? session.beat(call) : session.report(call);
    this.watch.tookEffect(call, session);
    return { message };
  }

  #sessionOf({ request }: Call): Session | undefined {
    const id = Buffer.from((request as SendHeartbeatRequest).sessionId);
    return this.sessions.find(({ facts }) => id.equals(facts.idBytes));
  }

  #open(call: Call): OpenSessionResponse {
    const offer = call.request as OpenSessionRequest;
    const session = this.#opened.get(offer.requestId) ?? this.#newSession(offer);
    this.watch.opened(call, session);
    const { beatMs, leaseMs, maxPayload, accessMs } = this.terms;
    const accessId = this.givesForeignAccess ? randomUUID() : session.facts.id;
    return create(OpenSessionResponseSchema, {
      sessionId: session.facts.idBytes,
      beatInterval: durationOf(beatMs),
      lease: durationOf(leaseMs),
      natsUrls: [this.busUrl],
      subject: session.facts.subject,
      natsCredentials: this.access(accessId, accessMs),
      maxPayload,
    });
  }

  #newSession(offer: OpenSessionRequest): Session {
    const id = randomUUID();
    const idBytes = uuidToBytes(id);
    const facts = { id, idBytes, subject: sessionSubject(id), offer, openedAt: performance.now() };
    const session = new Session(facts, this.bus);
    session.hasPings = this.hasPings;
    session.nextBeatMs = this.quickBeatMs;
    this.sessions.push(session);
    if (offer.requestId !== '') this.#opened.set(offer.requestId, session);
    return session;
  }
}
