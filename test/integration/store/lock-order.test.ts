/** Every pair of locking statements, over the same rows in opposite orders: they may wait, but never for each other. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { continueAs, decideCancel, decideFail, decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideUpdate } from '../../../server/domain/jobs/pause.ts';
import { closed, countFailures } from '../../../server/domain/retries/circuit-breaker.ts';
import type { AttemptKey } from '../../../server/engine/ports/attempts.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import { createStore } from '../../../server/store/store.ts';
import { type Mutation, plantBugs } from '../../support/databases/database-taps.ts';
import { useStore } from '../../support/store/store-context.ts';
import {
  bytes,
  completionOf,
  jobsOf,
  MAX_BYTES,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  openWorker,
  payload,
  submitMany,
} from '../../support/store/store-fixtures.ts';
import { debounced, ruledCall, throttled, unique } from '../../support/store/store-rules.ts';

const context = useStore('PostgreSQL 18');
const ROUNDS = Number(process.env.MUSTER_LOCK_ROUNDS ?? 8);
const JOBS = 24;
const DEADLOCK = '40P01';
const SERIALIZATION_FAILURE = '40001';
const policy = definitionDefaults.retryPolicy;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');

let laneId = 0;
/** The lane above and another one, each with a circuit breaker of its own. */
let laneIds: number[] = [];
const breakers = ['a', 'b'].map((name) => ({ namespace: 'default', name }));
const budget = { ratio: 0, minPerMinute: 3 };
let jobIds: string[] = [];
let sessionIds: string[] = [];
/** The held two thirds of the jobs. */
let held: AttemptKey[] = [];
let reset = '';
let madeLanes = 0;

beforeAll(async () => {
  laneId = await makeLane(context, { definition: 'one' }, 'a');
  laneIds = [laneId, await makeLane(context, { definition: 'two' }, 'b')];
  jobIds = (await submitMany(context, laneId, JOBS)).sort();
  const sessions = await Promise.all(Array.from({ length: 4 }, () => openWorker(context)));
  sessionIds = sessions.map((session) => session.sessionId).sort();
  held = jobIds.flatMap((jobId, i) =>
    i % 3 === 0 ? [] : [{ jobId, attempt: 1, sessionId: sessionIds[i % 4] as string }],
  );
  reset = resetScript();
});

/**
 * Restores all rows: a third READY, a third ASSIGNED, a third RUNNING, and every other READY one SCHEDULED with a
 * debounce key. Every due time has come, and all leases have lapsed.
 */
function resetScript(): string {
  const rows = jobIds.map((jobId, i) => {
    const isHeld = i % 3 > 0;
    const state = isWaiting(i) ? 2 : [3, 5, 6][i % 3];
    const due = i % 3 === 1 ? 'NULL' : `muster_now() - interval '1 minute'`;
    return `('${jobId}', ${laneIds[i % 2]}, ${state}, ${i}, 5, 60000, ${isHeld ? 1 : 0}, ${isHeld ? `'${sessionIds[i % 4]}'` : 'NULL'}, 7, muster_now(), ${due})`;
  });
  return `
DELETE FROM job_runs; DELETE FROM job_outcomes; DELETE FROM job_attempts; DELETE FROM job_checkpoints;
DELETE FROM job_dependencies; DELETE FROM job_inbox; DELETE FROM idempotency_keys; DELETE FROM request_ids; DELETE FROM audit_records;
DELETE FROM circuit_breakers; DELETE FROM retry_budgets; DELETE FROM submission_keys; DELETE FROM reservations;
UPDATE jobs SET erase_audit_id = NULL WHERE erase_audit_id IS NOT NULL;
UPDATE lanes SET gates = 0 WHERE gates <> 0;
UPDATE sessions SET state = 1, close_cause = NULL, close_time = NULL, drain_wanted = false, lease_until = muster_now() - interval '1 minute';
INSERT INTO job_runs (job_id, lane_id, state, rank, input_size, run_timeout_ms, attempt, session_id, credit_id, assign_time, due_time)
VALUES ${rows.join(', ')};
INSERT INTO submission_keys (key_hash, kind, job_id, until_time)
VALUES ${waitingJobs().map((jobId) => `(sha256('${jobId}'), 2, '${jobId}', muster_now() + interval '1 hour')`)};`;
}

const isWaiting = (i: number) => i % 6 === 3;
/** Jobs that hold debounce keys, each named by the job's id. */
const waitingJobs = () => jobIds.filter((_, i) => isWaiting(i));

const turned = <T>(items: readonly T[], isReversed: boolean): T[] => (isReversed ? [...items].reverse() : [...items]);

type Operation = (store: Store, isReversed: boolean, round: Round) => Promise<unknown>;

/** State that the operations of one round share. */
interface Round {
  readonly keys: readonly string[];
  readonly requestIds: readonly string[];
}

const operations: Record<string, Operation> = {
  'advance a workflow to a blocked step': (store, isReversed) => {
    const [workflowId = '', ...targets] = turned(jobIds, isReversed);
    const on = targets.map((jobId) => ({ on: { kind: 'JOB', jobId }, condition: 'SUCCEEDED' }) as const);
    return store.together(async (inner) => {
      await inner.dependencies.lockEdges('default');
      await inner.dependencies.link('default', workflowId, on);
      await inner.workflows.lock([workflowId]);
      await inner.submit([makeCall([makeJob(laneId, { dependencies: on })], { isDependent: true })]);
    });
  },
  claim: (store, isReversed) =>
    jobsOf(
      store.claim({
        permits: turned(sessionIds, isReversed).flatMap((sessionId) =>
          [1, 2, 3].map((creditId) => ({ sessionId, creditId, prefetch: false })),
        ),
        lanes: turned(laneIds, isReversed).map((id) => ({ laneId: id, cursor: 0 })),
        maxBytes: MAX_BYTES,
      }),
    ),
  'claim jobs that demand resources': async (store, isReversed) => {
    const permits = turned(sessionIds, isReversed).flatMap((sessionId) =>
      [1, 2, 3].map((creditId) => ({ sessionId, creditId, prefetch: false })),
    );
    for (const id of turned(laneIds, isReversed))
      await jobsOf(
        store.claim({
          permits,
          lanes: [{ laneId: id, cursor: 0 }],
          needs: { cpu: 1 },
          suspects: isReversed,
          maxBytes: MAX_BYTES,
        }),
      );
  },
  'open and close breakers': async (store, isReversed) => {
    const keys = turned(breakers, isReversed);
    const opening = { name: '', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
    await store.changeBreakers(keys, (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
    await store.changeBreakers(keys, closed);
  },
  'probe breakers': async (store, isReversed) => {
    const opening = { name: '', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
    for (const key of turned(breakers, isReversed)) {
      await store.changeBreakers([key], (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
      const permits = turned(sessionIds, isReversed).map((sessionId) => ({ sessionId, creditId: 9, prefetch: false }));
      const lanes = turned(laneIds, isReversed).map((id) => ({ laneId: id, cursor: 0 }));
      await store.probeBreaker(key, { permits, lanes, suspects: isReversed });
    }
    await store.alignGatedLanes();
  },
  'submit to retry budgets': async (store, isReversed) => {
    const nowUs = await store.nowUs();
    const jobs = turned(laneIds, isReversed).flatMap((id) =>
      turned([0, 1, 2], isReversed).map((minute) =>
        makeJob(id, { hasRetryBudget: true, state: 'SCHEDULED', runTimeUs: nowUs + minute * 60_000_000 }),
      ),
    );
    await store.submit([makeCall(jobs)]);
  },
  'spend retry budgets': (store, isReversed) =>
    store.change({ by: 'due', limit: isReversed ? 9 : 5 }, (run) => {
      const definition = run.laneId === laneId ? 'one' : 'two';
      const retryBudget = { ...budget, namespace: 'default', definition };
      return run.state === 'READY' ? { ...continueAs('promote', run, { state: 'READY' }), retryBudget } : undefined;
    }),
  complete: (store, isReversed) => store.complete(turned(held, isReversed).map((key) => completionOf(key))),
  'change by attempts': (store, isReversed) =>
    store.change({ by: 'attempts', attempts: turned(held, isReversed) }, (run, nowUs) =>
      decideFail(run, failure, policy, { nowUs, random: 0.5 }),
    ),
  'change by jobs': (store, isReversed) =>
    store.change({ by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) }, (run, nowUs) =>
      decideCancel(run, '', 1, { nowUs, random: 0 }),
    ),
  // Every other waiting job is paused and the others are delayed, which also writes their records.
  'pause and update by jobs': (store, isReversed) => {
    const selection = { by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) } as const;
    const change = store.change(selection, (run, nowUs) => {
      const later = { priority: 1, runTimeUs: nowUs + 1e9 };
      const isHeld = jobIds.indexOf(run.jobId) % 2 === 0;
      const decision = isHeld ? decidePause(run, '') : decideUpdate(run, later, { nowUs, random: 0 });
      return typeof decision === 'string' ? undefined : decision;
    });
    // Of two concurrent updates of a record the later one must read again, which is no deadlock.
    return change.catch((error) => {
      if (error.code !== SERIALIZATION_FAILURE) throw error;
    });
  },
  'cancel and clean up': (store, isReversed) =>
    store.change({ by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) }, (run, nowUs) => {
      const change = decideCancel(run, '', 1, { nowUs, random: 0 });
      const retryPolicy = definitionDefaults.cleanupRetryPolicy;
      return change?.kind === 'end'
        ? { ...change, cleanup: { jobId: newJobId(), laneId, rank: 1, runTimeoutMs: 1, retryPolicy } }
        : change;
    }),
  erase: async (store, isReversed) => {
    for (const jobId of turned(jobIds, isReversed))
      await store.eraseJob({ namespace: 'default', jobId, auditId: newJobId(), reason: 'asked for' });
  },
  'change by session': async (store, isReversed) => {
    for (const sessionId of turned(sessionIds, isReversed)) {
      await store.change({ by: 'session', sessionId, limit: 1_000 }, (run, nowUs) =>
        decideSessionEnd(run, 'LAPSE', { nowUs, random: 0.5 }),
      );
    }
  },
  'change by due time': (store) =>
    store.change({ by: 'due', limit: 1_000 }, (run, nowUs) => decideDue(run, policy, { nowUs, random: 0.5 })),
  renew: (store, isReversed) =>
    store.renewSessions(
      turned(sessionIds, isReversed).map((sessionId) => ({ sessionId, pingEcho: 1, draining: false })),
      1_000,
    ),
  close: (store, isReversed) => store.closeSessions(turned(sessionIds, isReversed), 'LAPSE', 0),
  drain: async (store, isReversed) => {
    for (const sessionId of turned(sessionIds, isReversed)) await store.drainSession('default', sessionId);
  },
  end: (store, isReversed) => store.endSessions(turned(sessionIds, isReversed)),
  observe: (store, isReversed) => store.observe(turned(held, isReversed)),
  'save progress': (store, isReversed) =>
    store.saveProgress(
      turned(held, isReversed).map((key) => ({
        ...key,
        sequence: isReversed ? 1 : 2,
        fraction: 0.5,
        message: 'm',
        checkpoint: payload('c'),
      })),
    ),
  'save logs': (store, isReversed) =>
    store.saveLogs(
      turned(held, isReversed).map((key) => ({
        ...key,
        records: [{ sequence: 1, timeUs: 0, level: 'INFO', message: 'm', fields: {}, truncated: false }],
      })),
    ),
  // The turns of two relays end at once, so they hold the same rows.
  'empty the outbox': async ({ outbox }, isReversed) => {
    const relayId = sessionIds[isReversed ? 0 : 1] as string;
    const rows = (await outbox.take(relayId, MAX_BYTES, 0)) ?? [];
    await outbox.finish(
      relayId,
      turned(rows, isReversed).map((row) => row.rowId),
    );
    await outbox.dropOlder(0);
  },
  'pause and resume the queue': async (store, isReversed) => {
    const queue = { namespace: 'default', name: 'default' };
    if (isReversed) await store.queues.resume(queue);
    await store.queues.pause(queue, isReversed ? 'again' : '');
    await store.queues.resume(queue);
  },
  'create a lane': (store, isReversed) =>
    store.ensureLane({
      namespace: 'default',
      queue: 'default',
      definition: `made-${++madeLanes}`,
      definitionVersion: 1,
      demands: '',
      suspect: isReversed,
    }),
  'fold the counts': (store) => store.queues.foldCounts(),
  'submit with keys': (store, isReversed, { keys }) => {
    const jobs = turned(keys, isReversed).map((idempotencyKey) => makeJob(laneId, { idempotencyKey }));
    const wishes = jobs.map((job, index) => ({
      index,
      key: job.idempotencyKey as string,
      contentHash: bytes('c'),
      policy: 'USE_EXISTING' as const,
    }));
    return store.submit([makeCall(jobs, { keys: wishes })]);
  },
  'replace the jobs of keys': async (store, isReversed, { keys }) => {
    const jobs = turned(keys, isReversed).map((idempotencyKey) => makeJob(laneId, { idempotencyKey }));
    const replacing = (held: ReadonlyMap<number, string>) =>
      makeCall(jobs, {
        keys: jobs.map((job, index) => {
          const wish = {
            index,
            key: job.idempotencyKey as string,
            contentHash: bytes('r'),
            policy: 'REPLACE' as const,
          };
          const replacedJobId = held.get(index);
          return replacedJobId === undefined ? wish : { ...wish, replacedJobId };
        }),
      });
    const [first] = await store.submit([replacing(new Map())]);
    if (first?.kind !== 'keysHeld') return;
    await store.submit([replacing(new Map(first.held.map(({ index, jobId }) => [index, jobId])))]);
  },
  // Enough jobs for two such statements to overlap.
  'submit with rules': (store, isReversed, { keys }) => {
    const names = keys.flatMap((key) => [1, 2, 3, 4, 5].map((n) => `${key} ${n}`));
    const rules = turned(names, isReversed).flatMap((name) => [unique(name), throttled(`throttled ${name}`)]);
    return store.submit([ruledCall(laneId, rules)]);
  },
  'take over keys of rules': async (store, isReversed, { keys }) => {
    const states = ['RUNNING'] as const;
    const call = ruledCall(
      laneId,
      turned(keys, isReversed).map((key) => unique(`taken ${key}`, { states })),
    );
    await store.submit([call]);
  },
  'replace waiting jobs': (store, isReversed) =>
    store.submit([
      ruledCall(
        laneId,
        turned(waitingJobs(), isReversed).map((jobId) => debounced(jobId)),
        { state: 'SCHEDULED', runTimeUs: 1_000_000 },
      ),
    ]),
  'submit with request ids': (store, isReversed, { requestIds }) =>
    store.submit(
      turned(requestIds, isReversed).map((requestId) =>
        makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('b') }),
      ),
    ),
};

/** Runs two of each at once, each in both orders. Resolves with the number of deadlocks; throws any other failure. */
async function collide(store: Store, names: readonly string[]): Promise<number> {
  await context.database.script(reset);
  const round = {
    keys: Array.from({ length: 12 }, () => randomUUID()),
    requestIds: Array.from({ length: 12 }, () => randomUUID()),
  };
  const runs = names.flatMap((name) => [false, true].map((isReversed) => operations[name]?.(store, isReversed, round)));
  const results = await Promise.allSettled(runs);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const other = failures.find((error) => error.code !== DEADLOCK);
  if (other) throw other;
  return failures.length;
}

describe('the lock order', () => {
  const names = Object.keys(operations);
  const pairs = names.flatMap((one, i) => names.slice(i).map((two) => [one, two] as const));

  it.each(names)('of %s avoids deadlocks with every other statement and with itself', async (name) => {
    const deadlocks: Record<string, number> = {};
    for (const [one, two] of pairs.filter(([one]) => one === name)) {
      for (let round = 0; round < ROUNDS; round++) {
        const count = await collide(context.store, [one, two]);
        if (count > 0) deadlocks[two] = (deadlocks[two] ?? 0) + count;
      }
    }
    expect(deadlocks).toEqual({});
  });

  // Proves that the rounds above would detect a wrong order.
  const unordered: [string, Mutation][] = [
    ['change by attempts', { of: 'lock_attempts', from: 'ORDER BY i.job_id', to: '' }],
    ['save progress', { of: 'save_progress', from: 'ORDER BY i.job_id', to: '' }],
    ['submit with keys', { of: 'insert_idempotency_keys', from: 'ORDER BY namespace, idempotency_key', to: '' }],
    ['submit with rules', { of: 'insert_submission_keys', from: 'ORDER BY key_hash', to: '' }],
  ];

  it.each(unordered)('is needed: %s would deadlock if it locked in the order of its input', async (name, mutation) => {
    const store = createStore(plantBugs(context.database, [mutation]));
    let deadlocks = 0;
    for (let round = 0; round < 1_000 && deadlocks === 0; round++) deadlocks = await collide(store, [name, name]);
    expect(deadlocks).toBeGreaterThan(0);
  });
});
