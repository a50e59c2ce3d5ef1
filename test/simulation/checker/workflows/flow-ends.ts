/** The end of a workflow: none of its jobs is open, clean-up is done, and its outcome follows from its steps. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { hasFailedLeaf } from '../../../support/workflows/workflow-oracle.ts';
import type { History } from '../../core/history.ts';
import { bodyOf } from '../../scenario/flows.ts';
import { names } from '../base/events.ts';
import type { Touched, Violate } from './flow-changes.ts';
import { type FlowLife, isOver, stopReasonCodes } from './flow-life.ts';

const { SUCCEEDED, FAILED, CANCELLED } = stateCodes;

export function judgeEnd({ life, end }: Touched, violate: Violate, history: History): void {
  // It was cancelled, or its time was over, before its start.
  if (life.phase === undefined) {
    if (end?.to === SUCCEEDED) violate(life, 'workflows: ends', 'succeeded and never began');
    return;
  }
  const open = life.open();
  if (open.length > 0) violate(life, 'workflows: ends', `ended while ${open.map(({ id }) => id)} were open`);
  judgeRoles(life, violate);
  const expected = endOf(life);
  history.count(`workflow: ended ${names[end?.to ?? 0]}`);
  if (end?.to !== expected)
    violate(life, 'workflows: ends', `ended ${names[end?.to ?? 0]} (${end?.text}), it should be ${names[expected]}`);
  else if (expected === SUCCEEDED) judgeResult(life, end.text, violate);
  if (expected === CANCELLED && hasRun(life, 'FINALLY'))
    history.count('workflow: cleaned up although it was cancelled');
  if (life.isLate && hasRun(life, 'FINALLY')) history.count('workflow: cleaned up although it was late');
}

function hasRun(life: FlowLife, role: string): boolean {
  return life.states.some((state, step) => life.step(step).role === role && state !== 'WAITING');
}

function judgeRoles(life: FlowLife, violate: Violate): void {
  const helps = life.needsHelp ?? needsHelp(life);
  for (const [step, state] of life.states.entries()) {
    const { name, role } = life.step(step);
    const isWanted = role === 'FINALLY' || (role === 'ON_FAILURE' && helps);
    const mayWait = role === 'NORMAL' ? life.stopReason !== stopReasonCodes.NO : !isWanted;
    const fits = isOver(state) ? role === 'NORMAL' || isWanted : state === 'WAITING' && mayWait;
    if (!fits) violate(life, 'workflows: clean-up', `ended with ${name} (${role}) ${state}; its work failed: ${helps}`);
  }
}

/** Whether the work has failed, was cancelled or ran out of time; valid when the work is over. */
export function needsHelp(life: FlowLife): boolean {
  return life.stopReason !== stopReasonCodes.NO || hasFailedLeaf(bodyOf(life.plan), 'NORMAL', life.endings());
}

function endOf(life: FlowLife): number {
  if (life.isCancelled) return CANCELLED;
  const body = bodyOf(life.plan);
  const endings = life.endings();
  const failed = hasFailedLeaf(body, 'NORMAL', endings) || hasFailedLeaf(body, 'FINALLY', endings) || life.isLate;
  return failed ? FAILED : SUCCEEDED;
}

/** The outputs of the work's leaf steps. */
function judgeResult(life: FlowLife, text: string | null, violate: Violate): void {
  const needed = new Set(life.plan.steps.flatMap(({ needs }) => needs));
  const leaves = life.plan.steps.flatMap(({ name, role }, step) =>
    role === 'NORMAL' && !needed.has(name) && life.states[step] === 'SUCCEEDED' ? [[name, life.output(step)]] : [],
  );
  if (sorted(JSON.parse(text ?? '{}')) !== sorted(Object.fromEntries(leaves)))
    violate(life, 'workflows: results', `has the result ${text}, it should be ${sorted(Object.fromEntries(leaves))}`);
}

function sorted(result: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
}
