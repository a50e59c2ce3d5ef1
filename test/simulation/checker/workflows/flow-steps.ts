/** Steps: each starts when its rule allows, in its phase, never while its workflow stops, and ends as its jobs do. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { StepState } from '../../../../server/domain/workflows/step-state.ts';
import type { History } from '../../core/history.ts';
import type { Touched, Violate } from './flow-changes.ts';
import { type Child, type FlowLife, isOver, phases, stopReasonCodes } from './flow-life.ts';

const { SUCCEEDED } = stateCodes;

/** `hasLeft`: the transaction took so long that it may have left steps to the next one. */
export function judgeSteps(touched: Touched, hasLeft: boolean, violate: Violate, history: History): void {
  const { life, before } = touched;
  const isFirst = before.phase === undefined && life.phase !== undefined;
  if (isFirst) judgeAdopted(touched, violate, history);
  for (const [step, state] of life.states.entries()) {
    const from = before.states[step] as StepState;
    if (from === state || (isFirst && life.adopted.has(step))) continue;
    if (isOver(from)) violate(life, 'workflows: steps', `has step ${step}, which was ${from}, and is ${state}`);
    if (from === 'WAITING') judgeDecision(touched, step, state, violate);
    if (isOver(state)) judgeStepEnd(life, step, state, violate, history);
  }
  for (const child of touched.made) judgeJob(touched, child, violate, history);
  if (life.phase === undefined || life.end) return;
  if (hasLeft) history.count('workflow: a transaction took long enough to leave steps to the next');
  else judgeLeft(life, violate);
}

/** Exactly the succeeded steps of the failed workflow are taken over; a succeeded workflow runs as a whole. */
function judgeAdopted({ life }: Touched, violate: Violate, history: History): void {
  const { retryOf } = life;
  const all = retryOf && retryOf.end?.to !== SUCCEEDED ? [...retryOf.states.keys()] : [];
  const expected = all.filter((step) => retryOf && isTakenOver(retryOf, step));
  const isStopped = life.stopReason === stopReasonCodes.CANCELLED || life.stopReason === stopReasonCodes.TIMED_OUT;
  const found = [...life.adopted].sort((a, b) => a - b);
  if (found.join() !== (isStopped ? [] : expected).join())
    violate(life, 'workflows: retries', `adopted steps ${found} of ${retryOf?.id}, it should be ${expected}`);
  if (found.length > 0) history.count('workflow: succeeded steps were adopted');
  if (all.some((step) => isCutShort(life.retryOf, step)))
    history.count('workflow: a loop that was cut short runs again');
  if (all.some((step) => isGood(retryOf, step) && !expected.includes(step)))
    history.count('workflow: what succeeded behind a failure runs again');
}

/** It has succeeded, and all steps before it, directly or not, have succeeded or were skipped. */
function isTakenOver(past: FlowLife, step: number): boolean {
  const before = new Set(past.step(step).needs);
  for (const name of before) for (const need of past.stepNamed(name).needs) before.add(need);
  const isSettled = (name: string) => {
    const need = past.plan.steps.indexOf(past.stepNamed(name));
    return isGood(past, need) || past.states[need] === 'SKIPPED';
  };
  return isGood(past, step) && [...before].every(isSettled);
}

function isGood(past: FlowLife | undefined, step: number): boolean {
  return past?.states[step] === 'SUCCEEDED' && past.step(step).role === 'NORMAL' && !isCutShort(past, step);
}

/** Its last iteration asked for one more, for which its workflow had no time. */
function isCutShort(past: FlowLife | undefined, step: number): boolean {
  if (past?.states[step] !== 'SUCCEEDED') return false;
  const { loop, scripts } = past.step(step);
  const passes = past.source(step).jobs(step).length;
  return loop !== undefined && scripts[passes - 1]?.again === true;
}

/** It was WAITING: its rule, and then its condition, decides. */
function judgeDecision(touched: Touched, step: number, state: StepState, violate: Violate): void {
  const { life } = touched;
  const { name, rule, role } = life.step(step);
  const verdict = life.verdict(step);
  const isOpen = life.isOpenToBoth(step);
  const text = `${name} (${rule} of ${life.needs(step)}) became ${state}, and its rule says ${verdict}`;
  if (state === 'UPSTREAM_FAILED') {
    if (verdict !== 'UPSTREAM_FAILED' && !isOpen) violate(life, 'workflows: rules', text);
  } else if (state === 'SKIPPED') {
    const isSwitchedOff = verdict === 'START' && !life.holds(step);
    if (verdict !== 'SKIP' && !isOpen && !isSwitchedOff) violate(life, 'workflows: rules', text);
  } else if (verdict !== 'START') violate(life, 'workflows: rules', text);
  else if (!life.holds(step)) violate(life, 'workflows: rules', `${name} became ${state}, and its condition is false`);
  const phase = phases.indexOf(role);
  if (phase < (touched.before.phase ?? 0) || phase > (life.phase ?? 0))
    violate(
      life,
      'workflows: phases',
      `decided step ${name} (${role}) between ${touched.before.phase} and ${life.phase}`,
    );
}

/** A job of a step: the first, the next iteration, or the next items; none of the work once the workflow is failing. */
function judgeJob(touched: Touched, child: Child, violate: Violate, history: History): void {
  const { life, before } = touched;
  const { step, item } = child;
  const { name, role, loop, fanOut, scripts } = life.step(step);
  const from = before.states[step] as StepState;
  const text = `made job ${child.id} of item ${item} of step ${name}`;
  if (isOver(from)) violate(life, 'workflows: one job', `${text}, which was ${from}`);
  if (life.jobs(step).indexOf(child) !== item) violate(life, 'workflows: one job', `${text} out of its turn`);
  if (!loop && !fanOut && from !== 'WAITING') violate(life, 'workflows: one job', `${text}, which was ${from}`);
  if (fanOut && item >= scripts.length) violate(life, 'workflows: one job', `${text}, which has ${scripts.length}`);
  if (loop && item > 0) judgePass(life, child, violate, history);
  const open = life.jobs(step).filter(({ end }) => !end).length;
  if (fanOut?.maxParallel === open) history.count('workflow: a fan-out has as many open items as it may');
  if (fanOut?.maxParallel !== undefined && open > fanOut.maxParallel)
    violate(life, 'workflows: max_parallel', `has ${open} open items of step ${name}, ${fanOut.maxParallel} may be`);
  if (life.decisions(step).size > 0) violate(life, 'workflows: one job', `${text}, which was decided`);
  const isStopped = life.isCancelled || life.isLate || before.stopReason !== stopReasonCodes.NO;
  if (role === 'NORMAL' && isStopped) violate(life, 'workflows: cancels', `${text} after it began to fail`);
}

function judgePass(life: FlowLife, { step, item }: Child, violate: Violate, history: History): void {
  const { name, scripts, loop } = life.step(step);
  history.count('workflow: a loop went on');
  if (item >= (loop?.maxIterations ?? 0)) violate(life, 'workflows: rules', `made pass ${item} of step ${name}`);
  if (life.jobs(step)[item - 1]?.end?.to !== SUCCEEDED || !scripts[item - 1]?.again)
    violate(life, 'workflows: rules', `made pass ${item} of step ${name}, for which the one before did not ask`);
}

function judgeStepEnd(life: FlowLife, step: number, state: StepState, violate: Violate, history: History): void {
  const { name, fanOut } = life.step(step);
  history.count(`workflow: step ${state}`);
  if (state !== 'SUCCEEDED' && state !== 'FAILED') return;
  const jobs = life.jobs(step);
  if (jobs.some(({ end }) => !end)) violate(life, 'workflows: steps', `${name} is ${state}, and jobs of it are open`);
  const possible = fanOut ? fanOutEnds(life, step) : oneEnds(life, step);
  if (!possible.includes(state))
    violate(life, 'workflows: steps', `${name} is ${state}, by its jobs it is ${possible.join(' or ')}`);
}

function isStopping(life: FlowLife, step: number): boolean {
  return life.stopReason !== stopReasonCodes.NO && life.step(step).role === 'NORMAL';
}

function fanOutEnds(life: FlowLife, step: number): StepState[] {
  const decided = [...life.decisions(step)].map((one) => (one === 'SUCCEED' ? 'SUCCEEDED' : 'FAILED') as StepState);
  return decided.length === 0 && isStopping(life, step) ? ['FAILED'] : decided;
}

function oneEnds(life: FlowLife, step: number): StepState[] {
  const { loop, scripts } = life.step(step);
  const jobs = life.jobs(step);
  if (life.taken.has(step)) return jobs.length > 0 ? [] : ['SUCCEEDED'];
  if (jobs.at(-1)?.end?.to !== SUCCEEDED) return jobs.length > 0 ? ['FAILED'] : [];
  if (!loop || !scripts[jobs.length - 1]?.again) return ['SUCCEEDED'];
  if (jobs.length === loop.maxIterations) return ['FAILED'];
  return isStopping(life, step) ? ['SUCCEEDED'] : [];
}

/** Every possible decision is made. */
function judgeLeft(life: FlowLife, violate: Violate): void {
  for (const [step, state] of life.states.entries()) {
    const { name, role, rule } = life.step(step);
    if (state !== 'WAITING' || phases.indexOf(role) !== life.phase) continue;
    if (role === 'NORMAL' && life.stopReason !== stopReasonCodes.NO) continue;
    if (life.verdict(step) !== 'WAIT')
      violate(life, 'workflows: rules', `left ${name} (${rule} of ${life.needs(step)}) WAITING: ${life.verdict(step)}`);
  }
}
