/** The core's access to the outside: a real thread provides gRPC, NATS and a clock, a simulator its own. */

import type { Failure } from '../../../gen/muster/v1/failure_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { Assignment, SessionMessage } from '../../../gen/muster/worker/v1/assignment_pb.ts';
import type { NatsCredentials } from '../../../gen/muster/worker/v1/session_pb.ts';
import type {
  CloseSessionRequest,
  CloseSessionResponse,
  OpenSessionRequest,
  OpenSessionResponse,
  ReportAttemptsRequest,
  ReportAttemptsResponse,
  SendHeartbeatRequest,
  SendHeartbeatResponse,
} from '../../../gen/muster/worker/v1/session_service_pb.ts';
import type { LogLevel } from '../../../logger.ts';

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
}

export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Runs `run` once, after `ms` milliseconds. */
  after(ms: number, run: () => void): Timer;
}

/**
 * SessionService. Every promise settles within `timeoutMs`. Like `MusterError`, a failure has `code` (gRPC), `reason`
 * and `retryDelayMs`.
 */
export interface SessionApi {
  openSession(request: OpenSessionRequest, timeoutMs: number): Promise<OpenSessionResponse>;
  heartbeat(request: SendHeartbeatRequest, timeoutMs: number): Promise<SendHeartbeatResponse>;
  reportAttempts(request: ReportAttemptsRequest, timeoutMs: number): Promise<ReportAttemptsResponse>;
  closeSession(request: CloseSessionRequest, timeoutMs: number): Promise<CloseSessionResponse>;
}

export interface BusOptions {
  /** The newest addresses; read after each `reconnect`. */
  readonly urls: () => readonly string[];
  readonly subject: string;
  /** The newest credentials; read for each connection. `undefined`: the bus needs none. */
  readonly credentials: () => NatsCredentials | undefined;
  readonly onMessage: (message: SessionMessage) => void;
  /** `true` each time the subscription becomes active, `false` each time it is lost. */
  readonly onStatus: (connected: boolean) => void;
}

/** A subscription that reconnects until it is closed. */
export interface BusConnection {
  /** Drops the connection, or the attempts at one, and opens a new one. */
  reconnect(): void;
  close(): void;
}

export interface Bus {
  connect(options: BusOptions): BusConnection;
}

/** Reason why a handler is asked to stop. */
export type StopReason = 'cancelled' | 'suspended' | 'run_timeout' | 'lease_lost' | 'shutdown';

/** How a handler ended. */
export type HandlerOutcome =
  | { readonly kind: 'result'; readonly payload: Payload }
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** The handler stopped on request, or waits for these children of its job, by UUID. */
  | { readonly kind: 'suspended'; readonly childIds: readonly Uint8Array[] };

/** The end of the handler that ran in `slot`. */
export interface HandlerEnd {
  readonly slot: number;
  readonly outcome: HandlerOutcome;
}

/**
 * Runs handlers in numbered slots below `MAX_SLOTS`. A slot stays taken until `handlersEnded` names it or `withdraw`
 * returns true.
 */
export interface Runner {
  start(slot: number, assignment: Assignment): void;
  /** Whether the handler in `slot` has been entered. */
  hasStarted(slot: number): boolean;
  /** Withdraws the attempt if its handler was not entered. True: it was not, and never will be. */
  withdraw(slot: number): boolean;
  /** Signals the handler in `slot`; it still has to return. */
  stop(slot: number, reason: StopReason): void;
}

/** An event of the worker's session. */
export type CoreEvent =
  | { readonly type: 'opened'; readonly sessionId: Uint8Array; readonly maxPayload: number }
  /** The session has received a ping over the bus and has granted credits. */
  | { readonly type: 'ready' }
  /** The lease can't be proved: nothing is accepted until a heartbeat is answered. */
  | { readonly type: 'fenced' }
  | { readonly type: 'recovered' }
  /** The server has closed the session; a new one is being opened. */
  | { readonly type: 'lost' }
  | { readonly type: 'draining' }
  | { readonly type: 'closed' }
  /** The server has permanently refused the worker. */
  | { readonly type: 'failed'; readonly error: unknown };

export interface CorePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** At least 0 and below 1. */
  readonly random: () => number;
  /** A new UUID, as text. */
  readonly newId: () => string;
  readonly api: SessionApi;
  readonly bus: Bus;
  readonly runner: Runner;
  readonly onEvent: (event: CoreEvent) => void;
  readonly log: (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
}
