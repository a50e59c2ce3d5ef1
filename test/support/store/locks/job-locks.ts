/** Operations that change and end jobs. */
import { systemFailure } from '../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail } from '../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideUpdate } from '../../../../server/domain/jobs/pause.ts';
import { FAR_US } from '../far.ts';
import { completionOf, newJobId, payload } from '../store-fixtures.ts';
import { type Operation, turned } from './locked-rows.ts';

const SERIALIZATION_FAILURE = '40001';
const policy = definitionDefaults.retryPolicy;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');

export const jobLocks: Readonly<Record<string, Operation>> = {
  complete: (store, isReversed, { held }) => store.complete(turned(held, isReversed).map((key) => completionOf(key))),
  'change by attempts': (store, isReversed, { held }) =>
    store.change({ by: 'attempts', attempts: turned(held, isReversed) }, (run, nowUs) =>
      decideFail(run, failure, policy, { nowUs, random: 0.5 }),
    ),
  'change by jobs': (store, isReversed, { jobIds }) =>
    store.change({ by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) }, (run, nowUs) =>
      decideCancel(run, '', 1, { nowUs, random: 0 }),
    ),
  // Every other waiting job is paused and the others are delayed, which also writes their records.
  'pause and update by jobs': (store, isReversed, { jobIds }) => {
    const selection = { by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) } as const;
    const change = store.change(selection, (run, nowUs) => {
      const later = { priority: 1, runTimeUs: nowUs + 1e9 };
      const isHeld = jobIds.indexOf(run.jobId) % 2 === 0;
      const decision = isHeld ? decidePause(run, { reason: '' }, 0) : decideUpdate(run, later, { nowUs, random: 0 });
      return typeof decision === 'string' ? undefined : decision;
    });
    // Of two concurrent updates of a record the later one must read again, which is no deadlock.
    return change.catch((error) => {
      if (error.code !== SERIALIZATION_FAILURE) throw error;
    });
  },
  'cancel and clean up': (store, isReversed, { laneId, jobIds }) =>
    store.change({ by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) }, (run, nowUs) => {
      const change = decideCancel(run, '', 1, { nowUs, random: 0 });
      const retryPolicy = definitionDefaults.cleanupRetryPolicy;
      return change?.kind === 'end'
        ? { ...change, cleanup: { jobId: newJobId(), laneId, rank: 1, runTimeoutMs: 1, retryPolicy } }
        : change;
    }),
  erase: async (store, isReversed, { jobIds }) => {
    for (const jobId of turned(jobIds, isReversed))
      await store.eraseJob({ namespace: 'default', jobId, auditId: newJobId(), reason: 'asked for' });
  },
  'change by due time': (store) =>
    store.change({ by: 'due', limit: 1_000, latestUs: FAR_US }, (run, nowUs) =>
      decideDue(run, policy, { nowUs, random: 0.5 }),
    ),
  observe: (store, isReversed, { held }) => store.observe(turned(held, isReversed), 0),
  'save progress': (store, isReversed, { held }) =>
    store.saveProgress(
      turned(held, isReversed).map((key) => ({
        ...key,
        sequence: isReversed ? 1 : 2,
        fraction: 0.5,
        message: 'm',
        checkpoint: payload('c'),
      })),
      0,
    ),
  'save logs': (store, isReversed, { held }) =>
    store.saveLogs(
      turned(held, isReversed).map((key) => ({
        ...key,
        records: [{ sequence: 1, timeUs: 0, level: 'INFO', message: 'm', fields: {}, truncated: false }],
      })),
    ),
};
