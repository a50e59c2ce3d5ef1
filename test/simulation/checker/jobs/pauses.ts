/** Pauses, of jobs that wait and of jobs that run: nothing starts, nothing counts, nothing is held for longer. */

import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import type { Entry } from '../../core/history.ts';
import { type Evidence, names, type Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';
import type { JobChecks } from './jobs.ts';

const INVARIANT = 'I17 pauses';
const { ASSIGNED, RUNNING, PAUSED, READY, SCHEDULED } = stateCodes;
const held: readonly (number | null)[] = [ASSIGNED, RUNNING];
const waiting: readonly (number | null)[] = [READY, SCHEDULED];

/** The requests to stop, against the journal. */
export class PauseChecks {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    if (row.kind === 'touch' && row.cause === 1)
      this.#count(`${row.stopUntil === null ? 'asked' : 'told again'} to stop`, row);
    if (row.kind === 'attempt' && row.cause === attemptOutcomes.SUSPENDED && row.counted !== 0)
      this.#violate(row, `counts attempt ${row.attempt}, which was suspended`);
    if (row.stopUntil === null || (row.kind !== 'move' && row.kind !== 'remove')) return;
    if (row.stopTo === PAUSED && waiting.includes(row.to)) this.#violate(row, `went to ${names[row.to ?? 0]}`);
    const isOver = held.includes(row.from) && !held.includes(row.to);
    if (!isOver) return;
    this.#count('an attempt that was asked to stop is over', row);
    const lateUs = lateness(this.#evidence.profile, row, row.stopUntil);
    if (lateUs > 0) this.#violate(row, `held its attempt for ${lateUs} us longer than its grace period`);
  }

  finish(): void {}

  #count(what: string, row: Ordered): void {
    this.#evidence.history.count(`pause: ${what} (${names[row.from ?? 0]})`);
  }

  #violate(row: Ordered, what: string): void {
    this.#evidence.history.violate(
      INVARIANT,
      `job ${row.id}, which was to be paused, ${what} (journal ${row.n}, order ${row.order})`,
    );
  }
}

/** After the return of PauseJob nothing is assigned until somebody resumes the job. */
export function checkPauses({ history, seen }: Evidence, { lives }: JobChecks): void {
  const of = (kind: string) => seen.get(kind) ?? [];
  const resumes = of('job resume asked');
  const answers = new Map(of('resumed').map((entry) => [entry.facts.call, entry.order]));
  const isOpenAfter = (resume: Entry, order: number) => (answers.get(resume.facts.call) ?? Infinity) > order;
  for (const { facts, order } of [...of('paused'), ...of('suspended')]) {
    const asked = of('job pause asked').find((entry) => entry.facts.call === facts.call)?.order ?? order;
    const granted = lives.get(String(facts.job))?.grants.find((grant) => grant.order > order);
    if (!granted) continue;
    const isResumed = resumes.some(
      (resume) => resume.facts.job === facts.job && resume.order < granted.order && isOpenAfter(resume, asked),
    );
    if (!isResumed) history.violate(INVARIANT, `job ${facts.job} was granted (${granted.fence}) while it was paused`);
  }
}
