/** Requests for changes: each change that neither a worker nor a clock makes was requested by a call in progress. */
import { OverlapPolicy } from '../../../../sdk/typescript/src/gen/muster/v1/schedule_pb.ts';
import { deadlineReactions } from '../../../../server/domain/jobs/soft-deadline.ts';
import type { Entry } from '../../core/history.ts';
import type { Evidence, Ordered } from './events.ts';

function missesOf(journal: readonly Ordered[]): Map<string, number> {
  const rows = journal.filter(({ kind }) => kind === 'deadline');
  const cancelling = new Set(rows.flatMap(({ id, cause }) => (cause === deadlineReactions.CANCEL ? id : [])));
  return new Map(rows.flatMap(({ id, n, nextDue }) => (nextDue !== null && cancelling.has(id) ? [[id, n]] : [])));
}

interface Asked {
  readonly method: string;
  readonly from: number;
  /** Infinity: it has not ended, as far as known. */
  readonly until: number;
  readonly facts: Entry['facts'];
}

export class Requests {
  readonly #asked: readonly Asked[];
  /** Where the journal says that a job has missed a soft deadline that cancels it. */
  readonly #misses: ReadonlyMap<string, number>;
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#misses = missesOf(evidence.journal);
    const over = new Map(evidence.seen.get('change over')?.map(({ facts, order }) => [facts.call, order]));
    this.#asked = (evidence.seen.get('change asked') ?? []).map(({ facts, order }) => ({
      method: String(facts.method),
      from: order,
      until: over.get(facts.call) ?? Number.POSITIVE_INFINITY,
      facts,
    }));
  }

  /** Whether one of the methods was in progress for the job when the row was written. */
  underWay(row: Ordered, ...methods: readonly string[]): boolean {
    return this.#between(row.id, row.order, row.order, methods);
  }

  /** Whether one of the methods was in progress for the job at any moment between the two. */
  between(job: string, from: number, until: number, ...methods: readonly string[]): boolean {
    return this.#between(job, from, until, methods);
  }

  /** Whether a cancel of the job, of any kind, had been requested when the row was written. */
  cancelled(row: Ordered): boolean {
    if (this.underWay(row, 'cancelJob', 'cancelJobs', 'submitJobs') || this.#makesWay(row.id)) return true;
    if (this.#stoppedBy(row.id) < row.n) return true;
    // Cancels by a workflow or a batch are checked with it.
    return this.#evidence.facts.get(row.id)?.parent !== undefined;
  }

  #stoppedBy(job: string): number {
    return this.#misses.get(job) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the job's schedule cancels the running job when its next time comes. */
  #makesWay(job: string): boolean {
    const name = this.#evidence.facts.get(job)?.schedule;
    const asked = this.#evidence.seen.get('schedule asked') ?? [];
    const cancels: readonly unknown[] = [OverlapPolicy.CANCEL_OTHER, OverlapPolicy.TERMINATE_OTHER];
    return name !== undefined && asked.some(({ facts }) => facts.schedule === name && cancels.includes(facts.overlap));
  }

  /** Whether one of the methods was in progress for this name of `field`, at any moment between the two. */
  named(field: 'queue' | 'breaker', name: string, from: number, until: number, ...methods: readonly string[]): boolean {
    return this.#asked.some(
      (asked) =>
        methods.includes(asked.method) && asked.facts[field] === name && asked.from <= until && asked.until >= from,
    );
  }

  #between(job: string, from: number, until: number, methods: readonly string[]): boolean {
    const facts = this.#evidence.facts.get(job);
    return this.#asked.some((asked) => {
      if (!methods.includes(asked.method) || asked.from > until || asked.until < from) return false;
      if (asked.facts.job !== undefined) return asked.facts.job === job;
      if (asked.facts.keys !== undefined)
        return facts?.key !== undefined && String(asked.facts.keys).split(',').includes(facts.key);
      return asked.facts.batch === (facts?.batch ?? '');
    });
  }
}
