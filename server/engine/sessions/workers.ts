/** Lists and shows workers, and requests drains. */
import { EngineError } from '../base/errors.ts';
import type { Bus } from '../ports/ports.ts';
import type { HeldJob, SessionRow, WorkerView } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';
import { DEAF_AFTER_BEATS, type Sessions } from './sessions.ts';

const MAX_HELD_JOBS = 1_000;

export interface WorkersParts {
  readonly store: Pick<Store, 'listSessions' | 'readWorker' | 'readHeldJobs' | 'drainSession'>;
  readonly sessions: Pick<Sessions, 'stopGranting'>;
  readonly bus: Pick<Bus, 'isUp'>;
}

export class Workers {
  readonly #parts: WorkersParts;

  constructor(parts: WorkersParts) {
    this.#parts = parts;
  }

  /** Workers whose session is not closed, by session id. */
  list(namespace: string, afterSessionId: string, limit: number): Promise<WorkerView[]> {
    return this.#parts.store.listSessions(namespace, afterSessionId, limit);
  }

  /** Throws SESSION_NOT_FOUND. */
  async get(namespace: string, sessionId: string): Promise<{ worker: WorkerView; heldJobs: HeldJob[] }> {
    const worker = await this.#read(namespace, sessionId);
    return { worker, heldJobs: await this.#parts.store.readHeldJobs(sessionId, MAX_HELD_JOBS) };
  }

  /**
   * Once this has resolved, no more jobs are assigned to the worker; its next heartbeat's reply contains the drain.
   * Throws SESSION_NOT_FOUND, and SESSION_CLOSED for a session that was closed without a drain request.
   */
  async drain(namespace: string, sessionId: string): Promise<WorkerView> {
    await this.#parts.store.drainSession(namespace, sessionId);
    this.#parts.sessions.stopGranting(sessionId);
    const worker = await this.#read(namespace, sessionId);
    if (worker.drainWanted) return worker;
    throw new EngineError('SESSION_CLOSED', `session ${sessionId} is ${worker.state}: it takes no more jobs`, {
      metadata: { session_id: sessionId, state: worker.state },
    });
  }

  /** Whether it sends heartbeats but receives nothing from the bus, though the bus works. */
  isDeaf(session: SessionRow): boolean {
    return session.state === 'OPEN' && session.beats - session.pingEcho >= DEAF_AFTER_BEATS && this.#parts.bus.isUp();
  }

  async #read(namespace: string, sessionId: string): Promise<WorkerView> {
    const worker = await this.#parts.store.readWorker(namespace, sessionId);
    if (worker) return worker;
    throw new EngineError(
      'SESSION_NOT_FOUND',
      `no session ${sessionId} in namespace ${namespace}: ListWorkers shows the existing ones`,
      { metadata: { session_id: sessionId, namespace } },
    );
  }
}
