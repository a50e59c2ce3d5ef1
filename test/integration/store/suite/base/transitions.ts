/** Each statement that changes a job's state, run from every state, against the table of transitions. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideSuspend, MAX_SUSPENSIONS } from '../../../../../server/domain/dependencies/children.ts';
import { decideBlock, decideSkip, decideUnblock } from '../../../../../server/domain/dependencies/dependencies.ts';
import {
  continueAs,
  decideAbort,
  decideCancel,
  decideConfirmCancel,
  decideFail,
  decideRelease,
  decideSessionEnd,
  end,
  type Moment,
} from '../../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import { decideLoss } from '../../../../../server/domain/jobs/decide-loss.ts';
import {
  isLegal,
  type JobEvent,
  type JobState,
  sourcesOf,
  stateCodes,
  stateOf,
  transitions,
} from '../../../../../server/domain/jobs/job-state.ts';
import {
  decideGiveUp,
  decidePause,
  decideResume,
  decideUpdate,
  type PauseRefusal,
} from '../../../../../server/domain/jobs/pause.ts';
import type { Change, Cleanup, OpenRun } from '../../../../../server/domain/jobs/run.ts';
import { decideRaise } from '../../../../../server/domain/jobs/soft-deadline.ts';
import { noLimits } from '../../../../../server/domain/jobs/time-limits.ts';
import { minuteOf } from '../../../../../server/domain/retries/retry-budget.ts';
import type { RetryPolicy } from '../../../../../server/domain/retries/retry-policy.ts';
import {
  decideBeginWait,
  decideCancelWait,
  decideEndWait,
  decideWaitDue,
} from '../../../../../server/domain/signals/wait.ts';
import type { Selection } from '../../../../../server/engine/ports/jobs.ts';
import { recordStatements } from '../../../../support/databases/database-taps.ts';
import { createStore } from '../../../../support/store/create-store.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimOf,
  completionOf,
  jobsOf,
  newJobId,
  readEverything,
  readRow,
} from '../../../../support/store/store-fixtures.ts';
import { claimLimited } from '../../../../support/store/store-limits.ts';
import { type PutRun, putRun } from '../../../../support/store/store-states.ts';
import { start, succeed } from '../../../../support/store/store-workflows.ts';

const states = Object.keys(stateCodes) as JobState[];
const events = Object.keys(transitions) as JobEvent[];
const policy = definitionDefaults.retryPolicy;
const lastTry = { ...policy, maxAttempts: 1 };
const pausing = {
  ...policy,
  rules: [{ causes: ['APPLICATION', 'TIMEOUT', 'LOST_WORKER', 'INFRASTRUCTURE'], action: 'PAUSE' }],
} satisfies RetryPolicy;
const failing = {
  ...policy,
  rules: [{ causes: ['LOST_WORKER', 'INFRASTRUCTURE'], action: 'FAIL' }],
} satisfies RetryPolicy;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');

/** Applies the event to the job. Resolves with the event, or with undefined if there was nothing to do. */
type Action = (put: PutRun) => Promise<JobEvent | undefined>;
type Decision = (run: OpenRun, moment: Moment) => Change | undefined;

/** Arrows without a statement yet. */
const later = new Set([
  // A worker that stops a handler because of its lease waits before it runs again.
  'abort ASSIGNED READY',
  'abort RUNNING READY',
  'confirmCancel ASSIGNED READY',
  'confirmCancel RUNNING READY',
]);

/** An attempt is lost, and a retry rule pauses or ends the job. */
function ruled(
  what: string,
  lose: (decide: Decision) => Action,
  usual: (run: OpenRun, moment: Moment) => Change,
): Record<string, Action> {
  return {
    [`${what}, which pauses`]: lose((run, moment) => decideLoss(usual(run, moment), pausing, moment)),
    [`${what}, which ends the job`]: lose((run, moment) => decideLoss(usual(run, moment), failing, moment)),
  };
}

const stopped = { reason: '', stopsTimeouts: true };

/** Somebody wants it paused. A request counts only in these states. */
function asked(run: OpenRun): OpenRun {
  const isOpen = ['ASSIGNED', 'RUNNING', 'WAITING'].includes(run.state);
  return isOpen ? { ...run, suspension: { untilUs: FAR_US, to: 'PAUSED' } } : run;
}

function cleanupIn(laneId: number): Cleanup {
  const retryPolicy = definitionDefaults.cleanupRetryPolicy;
  return { jobId: newJobId(), laneId, rank: 1, runTimeoutMs: 1_000, retryPolicy };
}

function actionsOn(context: StoreContext): Record<string, Action> {
  const { store } = context;
  const change = async (put: PutRun, selection: Selection, decide: Decision) => {
    const changes = await store.change(selection, (run, nowUs) =>
      run.jobId === put.jobId ? decide(run, { nowUs, random: 0.5 }) : undefined,
    );
    return changes[0]?.event;
  };
  const report =
    (decide: Decision): Action =>
    (put) =>
      change(put, { by: 'attempts', attempts: [put] }, decide);
  const sessionEnd =
    (decide: Decision): Action =>
    (put) =>
      change(put, { by: 'session', sessionId: put.sessionId, limit: 10 }, decide);
  const due =
    (decide: Decision): Action =>
    (put) =>
      change(put, { by: 'due', limit: 1_000, latestUs: FAR_US }, decide);
  const cancel: Action = (put) =>
    change(put, { by: 'jobs', namespace: 'default', jobIds: [put.jobId] }, (run, moment) =>
      decideCancel(run, '', 1_000, moment),
    );
  /** Advances a workflow that the control plane has started. */
  const advance =
    (from: JobState, decide: Decision): Action =>
    (put) =>
      change(put, { by: 'jobs', namespace: 'default', jobIds: [put.jobId] }, (run, moment) =>
        run.state === from ? decide(run, moment) : undefined,
      );
  const hold =
    (decide: (run: OpenRun, moment: Moment) => Change | PauseRefusal | undefined): Action =>
    (put) =>
      change(put, { by: 'jobs', namespace: 'default', jobIds: [put.jobId] }, (run, moment) => {
        const decision = decide(run, moment);
        return typeof decision === 'string' ? undefined : decision;
      });
  return {
    claim: async (put) =>
      (await jobsOf(store.claim(claimOf([put.laneId], put.sessionId, 1)))).length > 0 ? 'claim' : undefined,
    'claim as a suspect': async (put) =>
      (await jobsOf(store.claim({ ...claimOf([put.laneId], put.sessionId, 1), suspects: true }))).length > 0
        ? 'claim'
        : undefined,
    'claim under limits': async (put) =>
      (await claimLimited(context, put.laneId, put.sessionId, 1)).jobs.length > 0 ? 'claim' : undefined,
    complete: async (put) => ((await store.complete([completionOf(put)])).length > 0 ? 'succeed' : undefined),
    'complete with a checked result': async (put) =>
      (await store.complete([completionOf(put)], true)).length > 0 ? 'succeed' : undefined,
    observe: async (put) => {
      const { revision: before } = (await readRow(context, 'job_runs', put.jobId)) ?? {};
      await store.observe([put], 0);
      const { revision: after } = (await readRow(context, 'job_runs', put.jobId)) ?? {};
      return before === after ? undefined : 'observe';
    },
    'report a failure': report((run, moment) => decideFail(run, failure, policy, moment)),
    'report the last failure': report((run, moment) => decideFail(run, failure, lastTry, moment)),
    'report a failure that pauses': report((run, moment) => decideFail(run, failure, pausing, moment)),
    'report a release': report((run, moment) => decideRelease(run, 'NO_SLOT', moment)),
    'report a release beyond the maximum': report((run, moment) =>
      decideRelease({ ...run, releases: 20, releasesSinceUs: moment.nowUs }, 'NO_SLOT', moment),
    ),
    'report an abort': report((run, moment) => decideAbort(run, moment)),
    'report the hundredth loss': report((run, moment) => decideAbort({ ...run, totalLosses: 99 }, moment)),
    'confirm a cancel': report((run, moment) => decideConfirmCancel(run, moment)),
    ...ruled('report an abort', report, decideAbort),
    ...ruled('confirm a cancel', report, decideConfirmCancel),
    ...ruled('free a lapsed session', sessionEnd, (run, moment) => decideSessionEnd(run, 'LAPSE', moment)),
    ...ruled('free a closed session', sessionEnd, (run, moment) => decideSessionEnd(run, 'CLOSE', moment)),
    'confirm an unrequested cancel beyond the maximum': report((run, moment) =>
      decideConfirmCancel({ ...run, totalLosses: 99 }, moment),
    ),
    'free a lapsed session': sessionEnd((run, moment) => decideSessionEnd(run, 'LAPSE', moment)),
    'free another lapsed session': sessionEnd((run, moment) =>
      decideSessionEnd({ ...run, totalLosses: 3 }, 'LAPSE', moment),
    ),
    'free the last lapsed session of a suspect': sessionEnd((run, moment) =>
      decideSessionEnd({ ...run, consecutiveLosses: 4, suspectLosses: 2, totalLosses: 4 }, 'LAPSE', moment),
    ),
    'free sessions after an outage': sessionEnd((run, moment) => decideSessionEnd(run, 'MASS_LAPSE', moment)),
    'free a closed session': sessionEnd((run, moment) => decideSessionEnd(run, 'CLOSE', moment)),
    'free another closed session': sessionEnd((run, moment) =>
      decideSessionEnd({ ...run, totalLosses: 3 }, 'CLOSE', moment),
    ),
    'free the hundredth closed session': sessionEnd((run, moment) =>
      decideSessionEnd({ ...run, totalLosses: 99 }, 'CLOSE', moment),
    ),
    cancel,
    'cancel with a shorter grace period': advance('CANCELLING', (run, moment) =>
      decideCancel({ ...run, dueTimeUs: FAR_US }, '', 1_000, moment, 1),
    ),
    'cancel without a grace period': hold((run, moment) => decideCancel(run, '', 1_000, moment, 0)),
    'cancel, and clean up': (put) =>
      change(put, { by: 'jobs', namespace: 'default', jobIds: [put.jobId] }, (run, moment) => {
        const decision = decideCancel(run, '', 1_000, moment);
        return decision?.kind === 'end' ? { ...decision, cleanup: cleanupIn(put.laneId) } : decision;
      }),
    'start a workflow': (put) => change(put, { by: 'workflows', laneIds: [put.laneId], limit: 10 }, start),
    'finish a workflow': advance('WAITING', succeed),
    'finish a workflow that failed': advance('WAITING', (run) => end('finish', run, 'FAILED', { failure })),
    'finish a workflow that was cancelled': advance('CANCELLING', (run) =>
      end('finish', run, 'CANCELLED', { failure }),
    ),
    'stop a workflow that ran out of time': advance('WAITING', (run) =>
      continueAs('timeOut', run, { state: 'WAITING' }),
    ),
    'start a wait': (put) =>
      change(put, { by: 'workflows', laneIds: [put.laneId], limit: 10 }, (run, { nowUs }) =>
        decideBeginWait(run, nowUs),
      ),
    'end a wait': advance('WAITING', (run) => decideEndWait(run, { state: 'FAILED', failure })),
    'cancel a wait': advance('WAITING', (run) => decideCancelWait(run, '')),
    'time out a wait': advance('WAITING', (run, { nowUs }) => decideWaitDue({ ...run, dueTimeUs: nowUs }, nowUs)),
    'add a dependency': hold((run, moment) => {
      const decision = decideBlock(run, moment);
      return decision === 'NOT_WAITING' ? undefined : decision;
    }),
    unblock: hold((run, moment) => decideUnblock(run, moment)),
    'unblock before the run time': hold((run, moment) =>
      decideUnblock({ ...run, runTimeUs: moment.nowUs + 1e9 }, moment),
    ),
    skip: hold((run) => decideSkip(run, 'no more')),
    'wait for children': report((run, moment) => decideSuspend(run, 1, moment)),
    'wait for children that have ended': report((run, moment) => decideSuspend(run, 0, moment)),
    'wait again for children that have ended': report((run, moment) =>
      decideSuspend({ ...run, releases: 20, releasesSinceUs: moment.nowUs }, 0, moment),
    ),
    'wait for children beyond the maximum': report((run, moment) =>
      decideSuspend({ ...run, suspensions: MAX_SUSPENSIONS }, 1, moment),
    ),
    'continue after children': advance('WAITING', (run, moment) => decideUnblock({ ...run, attempt: 1 }, moment)),
    'cancel a wait for children': advance('WAITING', (run, moment) =>
      decideCancel({ ...run, attempt: 1 }, '', 1_000, moment),
    ),
    'time out a wait for children': advance('WAITING', (run, moment) =>
      decideDue({ ...run, attempt: 1, dueTimeUs: moment.nowUs }, policy, moment),
    ),
    'resume a job with dependencies': hold((run, moment) => decideResume({ ...run, unmetDependencies: 1 }, moment)),
    'sweep a due job': due((run, moment) => decideDue(run, policy, moment)),
    'sweep a retry without budget': due((run, moment) => {
      const change = decideDue(run, policy, moment);
      const retryBudget = {
        namespace: 'default',
        definition: 'full',
        ratio: 0,
        minPerMinute: 0,
        minute: minuteOf(moment.nowUs),
      };
      return change?.event === 'promote' && change.kind === 'continue' ? { ...change, retryBudget } : change;
    }),
    'sweep a due job with its last attempt': due((run, moment) => decideDue(run, lastTry, moment)),
    'sweep a due job that a rule pauses': due((run, moment) => decideDue(run, pausing, moment)),
    pause: hold((run) => decidePause(run, { reason: '' }, 0)),
    'pause what runs': hold((run, { nowUs }) => decidePause(run, { reason: '', graceMs: 60_000 }, nowUs)),
    'pause a wait for children': advance('WAITING', (run, { nowUs }) => {
      const decision = decidePause({ ...run, attempt: 1 }, { reason: '', graceMs: 60_000 }, nowUs);
      return decision as Change;
    }),
    'pause a workflow that has begun': advance('WAITING', (run, { nowUs }) => {
      const decision = decidePause(run, { reason: '', childGraceMs: 60_000 }, nowUs);
      return decision as Change;
    }),
    'pause again': hold((run) => (run.state === 'PAUSED' ? decidePause(run, stopped, 0) : undefined)),
    'resume a workflow that had begun': advance('PAUSED', (run, moment) =>
      decideResume({ ...run, begun: true }, moment),
    ),
    'cancel a paused workflow': advance('PAUSED', (run, moment) =>
      decideCancel({ ...run, begun: true }, '', 1_000, moment),
    ),
    'stop a paused workflow that ran out of time': advance('PAUSED', (run, moment) =>
      decideDue({ ...run, begun: true, dueTimeUs: moment.nowUs }, policy, moment),
    ),
    'resume what was asked to stop': hold((run, moment) =>
      ['ASSIGNED', 'RUNNING', 'WAITING'].includes(run.state) ? decideResume(asked(run), moment) : undefined,
    ),
    'stop on request': report((run, moment) => decideSuspend(asked(run), 0, moment)),
    'release on request': report((run, moment) => decideRelease(asked(run), 'SUSPENDED', moment)),
    'pause after children': advance('WAITING', (run, moment) => decideUnblock(asked({ ...run, attempt: 1 }), moment)),
    resume: hold((run, moment) => decideResume(run, moment)),
    'resume before the run time': hold((run, moment) =>
      decideResume({ ...run, runTimeUs: moment.nowUs + 1e9 }, moment),
    ),
    'resume after the last attempt': hold((run, moment) => decideResume({ ...run, exhausted: true }, moment)),
    'fail what is paused': hold((run) => {
      const decision = decideGiveUp(run, '', failure);
      return typeof decision === 'string' ? undefined : decision;
    }),
    update: hold((run, moment) => decideUpdate(run, { priority: 5 }, moment)),
    raise: hold((run) => decideRaise(run, 100)),
    delay: hold((run, moment) => decideUpdate(run, { runTimeUs: moment.nowUs + 1e9 }, moment)),
    'release with no time left': report((run, moment) =>
      decideRelease(
        { ...run, releases: 20, releasesSinceUs: moment.nowUs, limits: { ...noLimits, deadlineUs: moment.nowUs } },
        'NO_SLOT',
        moment,
      ),
    ),
    'sweep a job beyond its total timeout': due((run, moment) =>
      decideDue({ ...run, expireTimeUs: null, limits: { ...noLimits, deadlineUs: moment.nowUs } }, policy, moment),
    ),
    'sweep a job with progress': due((run, moment) =>
      decideDue({ ...run, limits: { ...noLimits, watchUntilUs: moment.nowUs, progressFraction: 1 } }, policy, moment, {
        watchdog: { minFraction: 0.5, windowMs: 1_000 },
      }),
    ),
    'sweep an expired job': due((run, moment) => decideDue({ ...run, expireTimeUs: moment.nowUs - 1 }, policy, moment)),
  };
}

const names = Object.keys(actionsOn({} as StoreContext));

/** Names of the statements in the source that set a job's state. */
function statementsOfStates(): string[] {
  const folder = new URL('../../../../../server/store/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'));
  return sources
    .flatMap((source) => source.split(/^(?=.*\bname: ')/m).slice(1))
    .filter((part) => /UPDATE job_runs r\s+SET state =|DELETE FROM job_runs|INSERT INTO job_runs/.test(part))
    .map((part) => /name: '(\w+)'/.exec(part)?.[1] ?? part.slice(0, 80));
}

export function transitionsSuite(context: StoreContext): void {
  const seen = new Set<string>();
  /** Every executed statement, by name. */
  let ran = new Map<string, unknown>();
  let actions: Record<string, Action> = {};

  async function stateAfter(jobId: string): Promise<JobState> {
    const row = (await readRow(context, 'job_runs', jobId)) ?? (await readRow(context, 'job_outcomes', jobId));
    return stateOf(row?.state);
  }

  async function tryFrom(name: string, from: JobState): Promise<void> {
    const put = await putRun(context, from);
    const before = await readEverything(context, put.jobId);
    const event = await actions[name]?.(put);
    const after = await readEverything(context, put.jobId);
    const to = await stateAfter(put.jobId);
    if (event === undefined) expect({ from, after }).toEqual({ from, after: before });
    else expect({ event, from, to, isLegal: isLegal(event, from, to) }).toEqual({ event, from, to, isLegal: true });
    if (event !== undefined) seen.add(`${event} ${from} ${to}`);
  }

  describe('transitions', () => {
    beforeAll(async () => {
      await emptyTables(context);
      const { database, statements } = recordStatements(context.database);
      ran = statements;
      actions = actionsOn({ ...context, database, store: createStore(database) });
    });

    it.each(names)('%s: from each state as in the table, and else nothing changes', async (name) => {
      for (const from of states) await tryFrom(name, from);
    });

    it('cover every arrow of the table except those of later releases', () => {
      const arrows = events.flatMap((event) =>
        sourcesOf(event).flatMap((from) => (transitions[event][from] ?? []).map((to) => `${event} ${from} ${to}`)),
      );
      expect([...seen, ...later].sort()).toEqual(arrows.sort());
    });

    it('cover every statement that sets the state of a job', () => {
      const others = statementsOfStates().filter((name) => !ran.has(name));
      // It sets a job's first state, so there is no source state.
      expect(others).toEqual(['insert_jobs']);
      expect(statementsOfStates()).toContain('update_runs');
    });
  });
}
