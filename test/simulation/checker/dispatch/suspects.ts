/** Suspects: never two in one session, and only they are charged, and only for a lapse. */
import type { Evidence, Ordered } from '../base/events.ts';
import type { SessionLife } from '../sessions/sessions.ts';

const SUSPECT_FROM = 2;
const LAPSE = 1;

export class SuspectChecks {
  readonly #evidence: Evidence;
  /** The suspect that each session holds, by session. */
  readonly #heldBy = new Map<string, string>();
  readonly #counts = new Map<string, { losses: number; charges: number }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  granted(row: Ordered): void {
    if ((row.losses ?? 0) < SUSPECT_FROM || row.sessionId === null) return;
    this.#evidence.history.count('suspect granted');
    const other = this.#heldBy.get(row.sessionId);
    if (other !== undefined && other !== row.id)
      this.#violate(row, `was given to session ${row.sessionId} next to the suspect ${other}`);
    this.#heldBy.set(row.sessionId, row.id);
  }

  /** The attempt was closed, and the job continues. */
  closed(row: Ordered, session: SessionLife | undefined): void {
    this.ended(row);
    const before = this.#counts.get(row.id) ?? { losses: 0, charges: 0 };
    const after = { losses: row.losses ?? 0, charges: row.charges ?? 0 };
    this.#counts.set(row.id, after);
    if (after.losses > before.losses && session?.cause !== LAPSE)
      this.#violate(row, `counts ${after.losses} losses after ${before.losses}, and its session had not lapsed`);
    if (after.charges > before.charges && before.losses < SUSPECT_FROM)
      this.#violate(row, `was charged after ${before.losses} losses: it was no suspect`);
  }

  /** The attempt is over, with any outcome of the job. */
  ended(row: Ordered): void {
    for (const [session, job] of this.#heldBy) if (job === row.id) this.#heldBy.delete(session);
  }

  #violate(row: Ordered, what: string): void {
    this.#evidence.history.violate('suspects', `job ${row.id} ${what} (journal ${row.n}, order ${row.order})`);
  }
}
