/** Shows an explanation: its sentences, then the holders, and the next steps. */
import { type Constraint, type Holder, type JobExplanation, waitReasonName } from '@muster/sdk/grpc';
import type { Output } from './output.ts';
import { printable, printableLines } from './printable.ts';
import { timeText } from './times.ts';

export function showExplanation(out: Output, { summary, constraints }: JobExplanation): void {
  for (const line of printableLines(summary)) out.line(line);
  for (const constraint of constraints) {
    if (constraint.holders.length > 0) showHolders(out, constraint);
    if (constraint.nextStep !== '')
      out.line(`${out.styled('bold', waitReasonName(constraint.reason))}: ${printable(constraint.nextStep)}.`);
  }
}

function showHolders(out: Output, constraint: Constraint): void {
  const { holders, holderCount } = constraint;
  out.line(
    `${out.styled('bold', waitReasonName(constraint.reason))}: held by ${holderCount}, those first that have been for longest`,
  );
  for (const holder of holders) out.line(`  ${holderText(holder)}`);
}

function holderText({ jobId, sessionId, workerName, sinceTime }: Holder): string {
  const what = jobId === '' ? `session ${sessionId}` : `job ${jobId}`;
  const at = workerName === '' ? '' : ` at worker ${printable(workerName)}`;
  return `${what}${at}${sinceTime ? ` since ${timeText(sinceTime)}` : ''}`;
}
