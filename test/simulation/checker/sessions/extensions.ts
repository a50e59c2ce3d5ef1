/** Run timeouts that handlers extend: neither the worker nor the server ends an attempt before the requested time. */
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import { EPOCH_MS } from '../../../../server/tools/simulate/sim-postgres.ts';
import type { Entry } from '../../core/history.ts';
import { RUN_TIMEOUT_MS } from '../../scenario/definitions.ts';
import { type Evidence, fenceOf, type Ordered } from '../base/events.ts';

/** The time runs from the acceptance of an attempt, which is before the start of its handler. */
const ENTERED_LATE_MS = 60;
/** Maximum rate of a worker's clock. */
const CLOCK_RATE = 1.01;
/** In calm weather a heartbeat has delivered a request of this age. */
const REPORTED_MS = 1_500;

export function checkExtensions(evidence: Evidence): void {
  const asked = new Map<string, Entry[]>();
  for (const entry of evidence.seen.get('extension') ?? []) {
    const fence = fenceOf(entry.facts.job, entry.facts.attempt, entry.facts.session);
    asked.set(fence, [...(asked.get(fence) ?? []), entry]);
  }
  for (const [fence, extensions] of asked) checkWorker(evidence, fence, extensions);
  for (const row of evidence.journal) {
    const isOver = row.kind === 'attempt' && row.cause === attemptOutcomes.TIMED_OUT;
    if (isOver) checkServer(evidence, row, asked.get(fenceOf(row.id, row.attempt, row.sessionId)) ?? []);
  }
}

function totalMs(extensions: readonly Entry[]): number {
  return Math.max(0, ...extensions.map(({ facts }) => Number(facts.totalMs)));
}

function checkWorker({ history, starts, stops }: Evidence, fence: string, extensions: readonly Entry[]): void {
  const start = starts.get(fence)?.[0];
  if (!start) return;
  for (const { kind, facts, at, order } of stops.get(fence) ?? []) {
    const ran = at - start.at;
    if (kind === 'return' && facts.outcome === 'result' && ran > RUN_TIMEOUT_MS * CLOCK_RATE)
      history.count('a handler outlived its run timeout, as it had asked to');
    if (facts.reason !== 'run_timeout') continue;
    const least = RUN_TIMEOUT_MS + totalMs(extensions.filter((extension) => extension.order < order));
    history.count('a handler ran longer than it had asked to');
    if (ran < least / CLOCK_RATE - ENTERED_LATE_MS)
      history.violate('deadlines', `${fence} was stopped after ${ran} ms, it had asked for ${least}`);
  }
}

/** By the server's own clock: the worker reports "the handler did not return". */
function checkServer({ history, profile, starts }: Evidence, row: Ordered, extensions: readonly Entry[]): void {
  const start = starts.get(fenceOf(row.id, row.attempt, row.sessionId))?.[0];
  if (!start || profile.name !== 'calm' || !row.text?.includes('"the attempt ran')) return;
  const now = row.at / 1000 - EPOCH_MS;
  const reported = extensions.filter((extension) => extension.at < now - REPORTED_MS);
  if (now < start.at + RUN_TIMEOUT_MS + totalMs(reported))
    history.violate(
      'deadlines',
      `job ${row.id} met its run timeout before the time that it had asked for (journal ${row.n})`,
    );
}
