/** Limits: at no prefix of the journal is more held than allowed, and in no period do more attempts start. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { CROWDED_MAX, NARROW_MAX, NARROW_RATE, PARENT_MAX } from '../../scenario/definitions.ts';
import { type Evidence, isGrant, type Ordered } from '../base/events.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;
const held: ReadonlySet<number | null> = new Set([ASSIGNED, RUNNING, CANCELLING]);

interface Limit {
  readonly name: string;
  readonly most: number;
}

export class LimitChecks {
  readonly #evidence: Evidence;
  /** Held jobs, by limit. */
  readonly #held = new Map<string, Set<string>>();
  /** Starts of attempts of `narrow`: the time as the claim may have seen it, and as it was written. */
  readonly #begun: { readonly from: number; readonly at: number }[] = [];

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    if (row.kind !== 'create' && row.kind !== 'move' && row.kind !== 'remove') return;
    const limit = this.#limitOf(row.id);
    if (!limit) return;
    const jobs = this.#held.get(limit.name) ?? new Set();
    this.#held.set(limit.name, jobs);
    if (row.kind === 'remove' || !held.has(row.to)) jobs.delete(row.id);
    else jobs.add(row.id);
    if (!isGrant(row)) return;
    if (jobs.size > limit.most)
      this.#violate(`${jobs.size} jobs are held of ${limit.name}, ${limit.most} are allowed (journal ${row.n})`);
    if (jobs.size === limit.most) this.#evidence.history.count(`limit reached: ${limit.name}`);
    if (limit.name === 'narrow') this.#begin(row);
  }

  finish(): void {}

  #limitOf(job: string): Limit | undefined {
    const facts = this.#evidence.facts.get(job);
    if (!facts || facts.cleanupOf !== undefined) return undefined;
    if (facts.definition === 'narrow') return { name: 'narrow', most: NARROW_MAX };
    if (facts.definition === 'parent') return { name: 'parent', most: PARENT_MAX };
    if (facts.definition !== 'crowded') return undefined;
    return { name: `crowded ${facts.batch ?? 'none'}`, most: CROWDED_MAX };
  }

  #begin(row: Ordered): void {
    const { units, periodMs, burst } = NARROW_RATE;
    const from = this.#evidence.history.transactionBegan.get(row.at) ?? row.at;
    this.#begun.push({ from, at: row.at });
    for (let i = 0; i < this.#begun.length; i++) {
      const stretch = row.at - (this.#begun[i]?.from ?? 0);
      const begun = this.#begun.length - i;
      // Half a unit for rounded times.
      if (begun <= burst + (units * stretch) / (periodMs * 1000) + 0.5) continue;
      this.#violate(`${begun} attempts of narrow began within ${stretch} µs (journal ${row.n})`);
      break;
    }
  }

  #violate(what: string): void {
    this.#evidence.history.violate('I17 limits', what);
  }
}
