/** Answers about events and approvals, against their effects. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { Entry } from '../../core/history.ts';
import type { Evidence } from '../base/events.ts';
import type { SentSignal, WaitKey, WaitLife } from './wait-keys.ts';

/** The signals and waits of a run; the checks of all transactions collect them. */
export interface KnownWaits {
  /** By the id of the job. */
  readonly lives: ReadonlyMap<string, WaitLife>;
  readonly byName: ReadonlyMap<string, SentSignal>;
  key(key: string): WaitKey;
  violate(invariant: string, what: string): void;
}

export function checkWaitAnswers(checks: KnownWaits, evidence: Evidence): void {
  const askedAt = new Map(
    ['event asked', 'word asked'].flatMap((kind) =>
      (evidence.seen.get(kind) ?? []).map(({ facts, order }) => [facts.call, order] as const),
    ),
  );
  for (const answer of evidence.seen.get('event answered') ?? [])
    checkEvent(checks, answer, askedAt.get(answer.facts.call) ?? 0);
  const ends = new Map(evidence.journal.filter(({ kind }) => kind === 'end').map((row) => [row.id, row]));
  for (const { facts } of evidence.seen.get('word heard') ?? []) {
    const end = ends.get(String(facts.job));
    const wanted = facts.kind === 'approve' ? stateCodes.SUCCEEDED : stateCodes.FAILED;
    if (end?.to !== wanted || !end.text?.includes(String(facts.text)))
      checks.violate(
        'waits: words',
        `job ${facts.job} was answered ${facts.kind} (${facts.text}), and is ${end?.text}`,
      );
  }
  for (const { facts, order } of evidence.seen.get('word refused') ?? []) {
    evidence.history.count('wait: a word came too early or too late');
    const life = checks.lives.get(String(facts.job));
    if (life && life.began < (askedAt.get(facts.call) ?? 0) && life.ended > order)
      checks.violate('waits: words', `job ${facts.job} waited, and would not hear a word (order ${order})`);
  }
}

/** An accepted event has ended a wait, or is kept, or was dropped because it was not to be kept. */
function checkEvent(checks: KnownWaits, { facts, order }: Entry, asked: number): void {
  const [name, key] = [String(facts.event), String(facts.key)];
  const stored = checks.byName.get(name);
  const violate = (what: string) => checks.violate('waits: events', `event ${name} ${what} (order ${order})`);
  if (!stored && facts.keepMs !== 0) violate('was accepted, and is not stored');
  if (!stored && checks.key(key).alwaysWaited(asked, order)) violate(`was dropped, and a job waits for key ${key}`);
  if (facts.repeated) return;
  if (!stored && (facts.kept || facts.delivering || Number(facts.delivered) > 0)) violate('was answered as stored');
  if (Number(facts.delivered) > (stored?.taken.size ?? 0))
    violate(`was answered to have ended ${facts.delivered} jobs, and ended ${stored?.taken.size}`);
}
