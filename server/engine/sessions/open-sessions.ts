/** The open sessions of a namespace, with those that can't be assigned jobs marked. */
import type { OpenSession } from '../../domain/explain/worker-constraints.ts';
import type { DbClock } from '../base/db-clock.ts';
import { NO_ID, readPages } from '../base/pages.ts';
import type { WorkerView } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';
import type { Workers } from './workers.ts';

const PAGE = 1_000;

export interface OpenSessionsParts {
  readonly store: Pick<Store, 'listSessions'>;
  readonly workers: Pick<Workers, 'isDeaf'>;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
}

export class OpenSessions {
  readonly #parts: OpenSessionsParts;

  constructor(parts: OpenSessionsParts) {
    this.#parts = parts;
  }

  async read(namespace: string): Promise<OpenSession[]> {
    const { store } = this.#parts;
    const sessions = await readPages(PAGE, (last: WorkerView | undefined) =>
      store.listSessions(namespace, last?.sessionId ?? NO_ID, PAGE),
    );
    return sessions
      .filter(({ state }) => state === 'OPEN')
      .map((session) => ({ ...session, unavailable: this.#whyUnavailable(session) }));
  }

  #whyUnavailable(session: WorkerView): OpenSession['unavailable'] {
    const { workers, dbClock } = this.#parts;
    if (session.leaseUntilUs <= dbClock.nowUs()) return 'lapsed';
    if (session.draining) return 'draining';
    return workers.isDeaf(session) ? 'deaf' : undefined;
  }
}
