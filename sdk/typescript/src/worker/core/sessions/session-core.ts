/**
 * The worker's side of the dispatch protocol, without I/O: opens sessions, one after the other, accepts assignments,
 * starts their handlers and reports the outcomes.
 */
import type { Progress } from '../../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { Handler } from '../../../gen/muster/v1/worker_pb.ts';
import type { OpenSessionRequest, OpenSessionResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { CLOSE_TIMEOUT, SHORT_SESSION } from '../base/limits.ts';
import type { CorePorts, HandlerEnd } from '../base/ports.ts';
import type { CoreStats } from '../base/stats.ts';
import { newStats } from '../base/stats.ts';
import { CompletionRate } from '../dispatch/completion-rate.ts';
import { SlotTable } from '../dispatch/slot-table.ts';
import type { LogLine } from './log-tail.ts';
import { Opener } from './opener.ts';
import { Session } from './session.ts';
import type { SessionHost } from './session-host.ts';

/** The OpenSession request of the worker. `slots` and `handlers` also decide which assignments it accepts. */
export type CoreOptions = Omit<OpenSessionRequest, 'requestId'>;

export class SessionCore {
  readonly stats: CoreStats = newStats();
  readonly #ports: CorePorts;
  readonly #options: CoreOptions;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #slotTable: SlotTable;
  readonly #rate = new CompletionRate();
  readonly #opener: Opener;
  #session: Session | undefined;
  #openedAt = Number.NEGATIVE_INFINITY;
  #draining = false;
  #closed = false;

  constructor(options: CoreOptions, ports: CorePorts) {
    this.#ports = ports;
    this.#options = { ...options };
    this.#handlers = new Map(options.handlers.map((handler) => [handler.name, handler]));
    this.#slotTable = new SlotTable(options.slots);
    this.#opener = new Opener(ports, this.#options, {
      sessionOpened: (response, openedAt) => this.#opened(response, openedAt),
      openingFailed: (error) => this.#end(() => this.#ports.onEvent({ type: 'failed', error })),
    });
  }

  start(): void {
    this.#opener.open(0);
  }

  /** Handlers have returned. Pass those that returned together in one call, so that their reports share a request. */
  handlersEnded(ends: readonly HandlerEnd[]): void {
    this.#rate.add(this.#ports.clock.now(), ends.length);
    for (const { slot, outcome } of ends) {
      const execution = this.#slotTable.release(slot);
      if (execution) this.#session?.ended(execution, outcome);
    }
    this.#session?.advance();
  }

  progress(slot: number, progress: Progress): void {
    const execution = this.#slotTable.get(slot);
    if (execution) this.#session?.progress(execution, progress);
  }

  checkpoint(slot: number, checkpoint: Payload): void {
    const execution = this.#slotTable.get(slot);
    if (execution) this.#session?.checkpoint(execution, checkpoint);
  }

  log(slot: number, lines: readonly LogLine[]): void {
    const execution = this.#slotTable.get(slot);
    if (execution) this.#session?.log(execution, lines);
  }

  /** The handler asks for more time. `extensionMs` is the sum of its requests so far. */
  extendRunTimeout(slot: number, extensionMs: number): void {
    const execution = this.#slotTable.get(slot);
    if (execution) this.#session?.extendRunTimeout(execution, extensionMs);
  }

  /** Changes the number of handlers that may run at once. Running handlers continue. */
  setSlots(slots: number): void {
    this.#slotTable.slots = slots;
    this.#options.slots = slots;
    this.#session?.regrant();
  }

  /** Accepts nothing more, releases what has not started, finishes the rest, then closes. */
  drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    this.#ports.onEvent({ type: 'draining' });
    if (this.#session) this.#session.drain();
    else this.close();
  }

  /** Signals every handler and closes the session; the server reassigns its attempts at once. */
  close(): void {
    const session = this.#session;
    this.#end(() => {
      const closed = () => this.#ports.onEvent({ type: 'closed' });
      if (session === undefined) {
        closed();
        return;
      }
      const $typeName = 'muster.worker.v1.CloseSessionRequest';
      const request = { $typeName, sessionId: session.id, workerLost: false } as const;
      this.#ports.api.closeSession(request, CLOSE_TIMEOUT).then(closed, (error: unknown) => {
        this.#ports.log('warn', 'the session could not be closed; it lapses by itself', { error: String(error) });
        closed();
      });
    });
  }

  #end(report: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opener.cancel();
    this.#session?.close('shutdown');
    this.#session = undefined;
    report();
  }

  #opened(response: OpenSessionResponse, openedAt: number): void {
    this.stats.sessions++;
    this.#openedAt = this.#ports.clock.now();
    this.#session = new Session(this.#host, response, openedAt);
    this.#ports.onEvent({ type: 'opened', sessionId: response.sessionId, maxPayload: response.maxPayload });
    this.#session.start(response);
  }

  /** Stops and drops everything of the session. Slots stay taken until their handlers return. */
  #lost(): void {
    this.stats.sessionsLost++;
    this.#session?.close('lease_lost');
    this.#session = undefined;
    this.#ports.log('warn', 'the session was closed by the server; a new one is opened');
    this.#ports.onEvent({ type: 'lost' });
    if (this.#draining) this.close();
    else this.#opener.open(this.#reopenDelay());
  }

  /** After a short session, the next one is delayed, so that sessions do not follow each other in a tight loop. */
  #reopenDelay(): number {
    const { clock, random } = this.#ports;
    return clock.now() - this.#openedAt < SHORT_SESSION ? SHORT_SESSION * (0.5 + 0.5 * random()) : 0;
  }

  #supports(name: string, version: number): boolean {
    const handler = this.#handlers.get(name);
    if (handler === undefined || version < handler.minVersion) return false;
    return handler.maxVersion === 0 || version <= handler.maxVersion;
  }

  get #host(): SessionHost {
    const isDraining = () => this.#draining;
    return {
      ports: this.#ports,
      slotTable: this.#slotTable,
      rate: this.#rate,
      stats: this.stats,
      get draining() {
        return isDraining();
      },
      supports: (name, version) => this.#supports(name, version),
      drain: () => this.drain(),
      sessionLost: () => this.#lost(),
      sessionDrained: () => this.close(),
    };
  }
}
