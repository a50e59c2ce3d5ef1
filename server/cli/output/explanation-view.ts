/** Shows an explanation: its sentences, then the blockers, and the next steps. */
import { type Blocker, type Constraint, type JobExplanation, waitReasonName } from '@muster-jobs/sdk/grpc';
import type { Output } from './output.ts';
import { printable, printableLines } from './printable.ts';
import { timeText } from './times.ts';

export function showExplanation(out: Output, { summary, constraints }: JobExplanation): void {
  for (const line of printableLines(summary)) out.line(line);
  for (const constraint of constraints) {
    if (constraint.blockers.length > 0) showBlockers(out, constraint);
    if (constraint.nextStep !== '')
      out.line(`${out.styled('bold', waitReasonName(constraint.reason))}: ${printable(constraint.nextStep)}.`);
  }
}

function showBlockers(out: Output, constraint: Constraint): void {
  const { blockers, blockerCount } = constraint;
  out.line(
    `${out.styled('bold', waitReasonName(constraint.reason))}: held by ${blockerCount}, those first that have been for longest`,
  );
  for (const blocker of blockers) out.line(`  ${blockerText(blocker)}`);
}

function blockerText({ jobId, sessionId, workerName, sinceTime }: Blocker): string {
  const what = jobId === '' ? `session ${sessionId}` : `job ${jobId}`;
  const at = workerName === '' ? '' : ` at worker ${printable(workerName)}`;
  return `${what}${at}${sinceTime ? ` since ${timeText(sinceTime)}` : ''}`;
}
