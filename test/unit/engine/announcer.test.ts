/** The announcer notifies everyone whom a commit concerns, once per commit. */
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../server/domain/jobs/run.ts';
import { Announcer, type Facts, factsOfChanges, factsOfCompletions } from '../../../server/engine/announcer.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';
import { announceJobs } from '../../../server/engine/jobs/submit/flush.ts';
import type { NewJob, SubmitCall, SubmitResult } from '../../../server/engine/ports/submissions.ts';
import { runOf } from '../domain/support/failing-job.ts';

const PARENT_ID = '0198c0de-0000-7000-8000-0000000000aa';

/** The facts announced while `work` runs, those of one kind together. */
function announced(work: (announcer: Announcer) => void): Facts {
  const announcer = new Announcer();
  const facts: Record<string, unknown> = {};
  const note = (key: keyof Facts) => (value: unknown) => {
    facts[key] = Array.isArray(value) ? [...((facts[key] as unknown[]) ?? []), ...value] : value;
  };
  announcer.subscribe({
    ...{ dueUs: note('dueUs'), outbox: note('outbox'), freed: note('freed'), ready: note('ready') },
    ...{ changed: note('changed'), ended: note('ended'), workflows: note('workflows') },
    dependencies: note('dependencies'),
  });
  work(announcer);
  return facts;
}

function endOf(run: Parameters<typeof runOf>[0]): Change {
  return {
    kind: 'end',
    event: 'cancel',
    run: runOf(run),
    state: 'CANCELLED',
    failure: null,
    reason: null,
  } as unknown as Change;
}

describe('the announcer', () => {
  it('notifies listeners in the order in which they subscribed, and released permits before ready lanes', () => {
    const announcer = new Announcer();
    const calls: string[] = [];
    announcer.subscribe({ ready: () => calls.push('ready 1'), freed: () => calls.push('freed 1') });
    announcer.subscribe({ ready: () => calls.push('ready 2') });
    announcer.committed({ ready: [{ laneId: 1, rank: 1 }], freed: [{ laneId: 1 }] });
    expect(calls).toEqual(['freed 1', 'ready 1', 'ready 2']);
  });

  it('publishes ready lanes and ended jobs to the other replicas, after its listeners', () => {
    const announcer = new Announcer();
    const calls: unknown[] = [];
    announcer.subscribe({ ready: () => calls.push('ready'), ended: () => calls.push('ended') });
    announcer.connect({ announce: (hint) => calls.push(hint), onHint: () => {} });
    const lanes = [{ laneId: 1, rank: 1 }];
    announcer.committed({ ready: lanes, changed: ['a'], ended: ['b'] });
    expect(calls).toEqual(['ready', { kind: 'ready', lanes }, 'ended', { kind: 'ended', jobIds: ['b'] }]);
  });

  it('notifies the listeners of a hint of another replica, and publishes nothing for it', () => {
    const announcer = new Announcer();
    const calls: unknown[] = [];
    let hinted = (_: Hint) => {};
    announcer.connect({
      announce: (hint) => calls.push(hint),
      onHint: (listener) => {
        hinted = listener;
      },
    });
    announcer.subscribeHints({ logged: ({ jobIds }) => calls.push(...jobIds), freed: () => calls.push('freed') });
    announcer.subscribeHints({ logged: () => calls.push('second') });
    hinted({ kind: 'logged', jobIds: ['a'] });
    hinted({ kind: 'ended', jobIds: ['b'] });
    expect(calls).toEqual(['a', 'second']);
  });

  it('notifies nobody when there are no facts', () => {
    expect(announced((announcer) => announcer.committed(factsOfChanges([])))).toEqual({});
    expect(announced((announcer) => announcer.committed(factsOfCompletions([])))).toEqual({});
  });
});

describe('the facts of changes', () => {
  it('include the parent, the dependents and the permit of a job that ended', () => {
    const run = { laneId: 7, limitId: 'key', parentJobId: PARENT_ID, notifiesDependents: true };
    const { jobId, sessionId } = runOf(run);
    expect(announced((announcer) => announcer.committed(factsOfChanges([endOf(run)])))).toEqual({
      outbox: true,
      freed: [{ laneId: 7, limitId: 'key', sessionId }],
      ended: [jobId],
      workflows: [PARENT_ID],
      dependencies: true,
    });
  });

  it('include the lowest rank of each lane and the earliest due time', () => {
    const ready = (laneId: number, rank: number) => ({
      kind: 'continue',
      state: 'READY',
      laneId,
      rank,
      dueTimeUs: null,
    });
    const scheduled = (dueTimeUs: number) => ({ kind: 'continue', state: 'SCHEDULED', laneId: 1, rank: 1, dueTimeUs });
    const run = runOf({ state: 'SCHEDULED', sessionId: null });
    const changes = [ready(1, 9), ready(1, 5), ready(2, 8), scheduled(300), scheduled(200), scheduled(400)];
    const facts = factsOfChanges(changes.map((change) => ({ ...change, run, event: 'resume' }) as unknown as Change));
    expect(facts.ready).toEqual([
      { laneId: 1, rank: 5 },
      { laneId: 2, rank: 8 },
    ]);
    expect(facts.dueUs).toBe(200);
  });
});

describe('the facts of a submission', () => {
  const job = { jobId: 'new', laneId: 1, state: 'SCHEDULED', rank: 5, runTimeUs: 100 } as unknown as NewJob;
  const call = { namespace: 'default', jobs: [job], keys: [] } as SubmitCall;

  it('include the replaced job of a debounced submission', () => {
    const replaced = endOf({
      state: 'SCHEDULED',
      sessionId: null,
      limitId: 'key',
      notifiesDependents: true,
      parentJobId: PARENT_ID,
    });
    const stored = { jobId: 'new', existing: false, assigned: false };
    const results: SubmitResult[] = [{ kind: 'stored', jobs: [stored], replaced: { changes: [replaced], dueUs: 100 } }];
    const { jobId, laneId } = replaced.run;
    expect(announced((announcer) => announceJobs(announcer, [call], results, new Set()))).toEqual({
      outbox: true,
      dueUs: 100,
      freed: [{ laneId, limitId: 'key', sessionId: null }],
      ended: [jobId],
      workflows: [PARENT_ID],
      dependencies: true,
    });
  });

  it('leave out jobs that were assigned when they were stored', () => {
    const ready = { ...job, state: 'READY', runTimeUs: undefined } as unknown as NewJob;
    const results: SubmitResult[] = [{ kind: 'stored', jobs: [{ jobId: 'new', existing: false, assigned: true }] }];
    const facts = (assigned: readonly string[]) =>
      announced((announcer) => announceJobs(announcer, [{ ...call, jobs: [ready] }], results, new Set(assigned)));
    expect(facts(['new'])).toEqual({ outbox: true });
    expect(facts([])).toEqual({ outbox: true, ready: [{ laneId: 1, rank: 5, jobs: 1 }] });
  });
});
