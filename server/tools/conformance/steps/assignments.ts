/** Steps that assign attempts to the worker. */

import type { Payload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import type { Step } from '../case.ts';
import { durationOf } from '../durations.ts';
import type { Attempt } from '../plane/attempt.ts';
import { noticeOf, suspendNoticeOf } from '../plane/session.ts';
import type { Stage } from '../stage.ts';
import { act } from './life.ts';
import type { Work } from './work.ts';

export interface AssignOptions {
  /** Its credit. Default: one that the server would use. */
  readonly credit?: number | ((stage: Stage) => number);
  readonly isPrefetch?: boolean;
  /** How it is sent. `nowhere`: it is lost. Default: `bus`. */
  readonly by?: 'bus' | 'answer' | 'nowhere';
  readonly runTimeoutMs?: number;
  readonly attempt?: number;
  readonly attemptCount?: number;
  readonly checkpoint?: Payload;
  readonly more?: Omit<Partial<Assignment>, '$typeName'>;
}

export function assign(name: string, work: Work, options: AssignOptions = {}): Step {
  const { by = 'bus' } = options;
  return act(`assigns ${name} to ${work.handler} by ${by}`, async (stage) => {
    const attempt = await prepared(stage, name, work, options);
    if (by === 'bus') send(stage, [attempt]);
    if (by === 'answer') inAnswer(stage, attempt);
    if (options.credit === undefined) mayComeAgain(stage, attempt, work, options);
  });
}

const MAX_TRIES = 3;
/**
 * A worker voids a credit from 7 s on, and assignments that do not use the bus are sent later: their credit must last.
 */
const LASTING_MS = 4_000;

function mayComeAgain(stage: Stage, attempt: Attempt, work: Work, options: AssignOptions, nth = 1): void {
  if (nth === MAX_TRIES || options.more?.jobId) return;
  attempt.reassign = async () => {
    const next = await prepared(stage, attempt.name, work, options);
    if (isByBus(options)) send(stage, [next]);
    else inAnswer(stage, next);
    mayComeAgain(stage, next, work, options, nth + 1);
  };
}

/** Several attempts of the same work in one message; their names are numbered from 1. */
export function assignMany(name: string, count: number, work: (at: number) => Work, options: AssignOptions = {}): Step {
  return act(`assigns ${count} times ${name}`, async (stage) => {
    const attempts: Attempt[] = [];
    for (let at = 1; at <= count; at++) {
      const attempt = await prepared(stage, `${name}${at}`, work(at), options);
      if (options.credit === undefined) mayComeAgain(stage, attempt, work(at), options);
      attempts.push(attempt);
    }
    send(stage, attempts);
  });
}

async function prepared(stage: Stage, name: string, work: Work, options: AssignOptions): Promise<Attempt> {
  const { credit, isPrefetch = false, runTimeoutMs, attempt, attemptCount, checkpoint, more } = options;
  const named = typeof credit === 'function' ? credit(stage) : credit;
  if (named !== undefined) stage.session.ledger.spendOf(named, isPrefetch);
  const creditId = named ?? (await stage.spend(isPrefetch, isByBus(options) ? undefined : LASTING_MS)).id;
  return stage.newAttempt(name, {
    handler: work.handler,
    creditId: BigInt(creditId),
    prefetch: isPrefetch,
    ...(work.input ? { input: work.input } : {}),
    ...(runTimeoutMs === undefined ? {} : { runTimeout: durationOf(runTimeoutMs) }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(attemptCount === undefined ? {} : { attemptCount }),
    ...(checkpoint ? { checkpoint } : {}),
    ...more,
  });
}

const isByBus = ({ by = 'bus' }: AssignOptions) => by === 'bus';

function send(stage: Stage, attempts: readonly Attempt[]): void {
  for (const attempt of attempts) attempt.sentAt = performance.now();
  stage.session.publish({ assignments: attempts.map(({ assignment }) => assignment) });
}

function inAnswer(stage: Stage, attempt: Attempt): void {
  attempt.sentAt = performance.now();
  stage.session.assignInAnswer(attempt.assignment);
}

/** The identical assignments again, in one message. */
export function again(...names: string[]): Step {
  return act(`sends ${names.join(', ')} again`, (stage) =>
    send(
      stage,
      names.map((name) => stage.attempt(name)),
    ),
  );
}

/** The identical assignment, in the answer to the next heartbeat. */
export function againInAnswer(name: string): Step {
  return act(`sends ${name} again in an answer`, (stage) => inAnswer(stage, stage.attempt(name)));
}

/** Over the bus and in every answer, or only in answers. */
export function cancel(name: string, by: 'bus' | 'answers' = 'bus'): Step {
  return act(`cancels ${name}`, (stage) => {
    const attempt = stage.attempt(name);
    attempt.isCancelled = true;
    if (by === 'bus') stage.session.publish({ cancels: [noticeOf(attempt)] });
  });
}

/** Over the bus and in every answer, or only in answers. */
export function suspend(name: string, by: 'bus' | 'answers' = 'bus'): Step {
  return act(`asks to suspend ${name}`, (stage) => {
    const attempt = stage.attempt(name);
    attempt.isSuspended = true;
    if (by === 'bus') stage.session.publish({ suspends: [suspendNoticeOf(attempt)] });
  });
}
