/** Reasons why an attempt was closed, each allowed by the protocol and shown by the record. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { SessionLife } from '../sessions/sessions.ts';
import { clockErrorUs, type Evidence, names, type Ordered } from './events.ts';

export interface Closing {
  readonly order: number;
  readonly reasons: readonly string[];
  /** The new state of the job; undefined: it ended, see its outcome. */
  readonly to: number | undefined;
}

const { RUNNING, ASSIGNED } = stateCodes;

/** Reports that may close an attempt while its job continues, or end it. */
const closingReports = ['result', 'failure', 'released', 'cancelled', 'aborted', 'suspended'];

export function whyClosed(
  evidence: Evidence,
  row: Ordered,
  fence: string,
  session: SessionLife | undefined,
  to: number | undefined,
): Closing {
  const reasons: string[] = [];
  const asked = (evidence.asked.get(fence) ?? []).filter((entry) => entry.order < row.order);
  for (const outcome of closingReports)
    if (asked.some((entry) => entry.facts.outcome === outcome)) reasons.push(outcome);
  if (session && session.closing < row.order && row.order < session.closed) reasons.push('session ended');
  const isOver = (us: number | null) => us !== null && us <= row.at + clockErrorUs(evidence);
  if (isOver(row.stopUntil)) reasons.push('grace over');
  else if (row.from !== ASSIGNED && isOver(row.until)) reasons.push('due');
  if (to === undefined && isHastened(evidence, row)) reasons.push('cancelled without waiting');
  if (reasons.length === 0 && row.from === RUNNING && isUnknownToItsWorker(evidence, fence, row.order)) {
    reasons.push('unknown to its worker');
    evidence.history.count('attempt aborted: its worker did not know it');
  }
  if (reasons.length === 1) evidence.history.count(`attempt closed: ${reasons[0]} (${names[row.from ?? 0]})`);
  return { order: row.order, reasons, to };
}

/** Whether somebody has cancelled the job, or a workflow or a batch above it, with a grace period of its own. */
function isHastened({ seen, facts }: Evidence, { id, order }: Ordered): boolean {
  const cancels = (seen.get('cancel') ?? []).filter((entry) => entry.facts.hastens === true && entry.order < order);
  for (let job: string | undefined = id; job !== undefined; job = facts.get(job)?.parent)
    if (cancels.some((entry) => entry.facts.job === job)) return true;
  return false;
}

/** Whether the handler never ran, was asked to stop, or had returned. */
function isUnknownToItsWorker(evidence: Evidence, fence: string, order: number): boolean {
  if (!evidence.starts.get(fence)?.some((entry) => entry.order < order)) return true;
  return evidence.stops.get(fence)?.some((entry) => entry.order < order) ?? false;
}
