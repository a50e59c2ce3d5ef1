/**
 * The checker can fail: each invariant is broken once in a record that is otherwise complete, and the checker reports
 * it.
 */
import { describe, expect, it } from 'vitest';
import { stateCodes } from '../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../server/domain/jobs/run.ts';
import { check } from './checker/check.ts';
import type { Evidence } from './checker/evidence.ts';
import type { JournalRow } from './harness/journal.ts';
import type { Call } from './load/load.ts';

const { READY, ASSIGNED, RUNNING, CANCELLING, SUCCEEDED, CANCELLED } = stateCodes;
const START_MS = 1_000_000;
const LEASE_MS = 3_000;

type Draft = {
  -readonly [K in keyof Evidence]: Evidence[K] extends readonly (infer T)[] ? Writable<T>[] : Evidence[K];
};
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const blank = {
  from: null,
  to: null,
  attempt: null,
  counted: null,
  sessionId: null,
  until: null,
  cause: null,
  text: null,
};
const call: Call = {
  kind: 'submit',
  requestId: '',
  keys: [''],
  definitions: ['quick'],
  jobs: [],
  outcome: 'ok',
  unknown: 0,
  beganAt: START_MS,
  endedAt: START_MS,
  answer: '',
};

function result(job: string, attempt: number, worker: string): string {
  return JSON.stringify({ by: `${job}/${attempt}/${worker}` });
}

/**
 * Job `a` is lost by worker `one`, whose session lapses, and completed by worker `two`; job `b` is cancelled while it
 * waits. Times are milliseconds from the start.
 */
function whole(): Draft {
  let n = 0;
  const row = (ms: number, kind: JournalRow['kind'], id: string, facts: Partial<JournalRow>): Writable<JournalRow> => ({
    ...blank,
    n: ++n,
    at: (START_MS + ms) * 1000,
    kind,
    id,
    ...facts,
  });
  const lease = (ms: number) => ({ until: (START_MS + ms + LEASE_MS) * 1000 });
  const fence = (attempt: number, sessionId: string) => ({ attempt, sessionId, counted: 0 });
  const record = (ms: number, kind: 'start' | 'end', worker: string, attempt: number) => ({
    kind,
    at: START_MS + ms,
    worker,
    job: 'a',
    attempt,
    handler: 'slow',
    ...(kind === 'end' ? { how: 'returned' as const } : {}),
  });
  return {
    journal: [
      row(0, 'session', 's1', { to: 1, text: 'one', ...lease(0) }),
      row(0, 'session', 's2', { to: 1, text: 'two', ...lease(0) }),
      row(1, 'create', 'a', { to: READY, attempt: 0, counted: 0 }),
      row(2, 'create', 'b', { to: READY, attempt: 0, counted: 0 }),
      row(5, 'move', 'a', { from: READY, to: ASSIGNED, ...fence(1, 's1') }),
      row(600, 'move', 'a', { from: ASSIGNED, to: RUNNING, ...fence(1, 's1') }),
      row(700, 'remove', 'b', { from: READY, attempt: 0, counted: 0 }),
      row(700, 'end', 'b', { to: CANCELLED, attempt: 0, counted: 0, text: '{}' }),
      row(2_500, 'session', 's2', { from: 1, to: 1, text: 'two', ...lease(2_500) }),
      row(3_500, 'session', 's1', { from: 1, to: 2, cause: 1, text: 'one', ...lease(0) }),
      row(3_510, 'attempt', 'a', { cause: attemptOutcomes.LAPSED, ...fence(1, 's1') }),
      row(3_510, 'move', 'a', { from: RUNNING, to: READY, ...fence(1, 's1') }),
      row(3_520, 'session', 's1', { from: 2, to: 3, cause: 1, text: 'one', ...lease(0) }),
      row(3_530, 'move', 'a', { from: READY, to: ASSIGNED, ...fence(2, 's2') }),
      row(3_600, 'remove', 'a', { from: ASSIGNED, ...fence(2, 's2') }),
      row(3_600, 'end', 'a', { to: SUCCEEDED, ...fence(2, 's2'), counted: 1, text: result('a', 2, 'two') }),
      row(3_700, 'session', 's2', { from: 1, to: 2, cause: 2, text: 'two', ...lease(2_500) }),
      row(3_710, 'session', 's2', { from: 2, to: 3, cause: 2, text: 'two', ...lease(2_500) }),
    ],
    records: [
      record(10, 'start', 'one', 1),
      record(2_000, 'end', 'one', 1),
      record(3_540, 'start', 'two', 2),
      record(3_590, 'end', 'two', 2),
    ],
    calls: [
      { ...call, requestId: 'r1', jobs: ['a'] },
      { ...call, requestId: 'r2', jobs: ['b'] },
      { ...call, requestId: 'r3', kind: 'cancel', jobs: ['b'], endedAt: START_MS + 701 },
    ],
    reports: [
      { job: 'a', attempt: 1, session: 's1', said: 'result', answer: 'SESSION_LOST', at: START_MS + 3_550 },
      { job: 'a', attempt: 2, session: 's2', said: 'result', answer: 'ACCEPTED', at: START_MS + 3_601 },
      { job: 'a', attempt: 2, session: 's2', said: 'another result', answer: 'LEASE_LOST', at: START_MS + 3_602 },
    ],
    readings: [{ job: 'a', replica: 'replicaa', state: SUCCEEDED, text: result('a', 2, 'two') }],
    restores: [],
    leaseMs: LEASE_MS,
    maxAttempts: 5,
  };
}

function at<T>(list: T[], index: number): T {
  return list[index] as T;
}

/** Each breach of the record, with the invariant that it breaks. Indices are those of the rows above. */
const breaches: readonly [invariant: string, what: string, tamper: (evidence: Draft) => void][] = [
  ['I1', 'a missing accepted job', (e) => (at(e.calls, 0).jobs = ['gone'])],
  ['I1', 'a refused submission', (e) => Object.assign(at(e.calls, 0), { outcome: 'fail', answer: 'NO' })],
  ['I2', 'a job without an answer', (e) => e.calls.splice(1, 1)],
  ['I2', 'one key, two jobs', (e) => e.calls.map((c) => Object.assign(c, { keys: ['k'], kind: 'submit' }))],
  ['I3', 'a path with a gap', (e) => e.journal.splice(5, 1)],
  [
    'I3',
    'a step that the table does not know',
    (e) =>
      Object.assign(at(e.journal, 5), { to: CANCELLING }) && Object.assign(at(e.journal, 11), { from: CANCELLING }),
  ],
  ['I3', 'a session that reopens', (e) => Object.assign(at(e.journal, 12), { to: 1 })],
  [
    'I3',
    'a grant of a job that was paused',
    (e) =>
      e.calls.push({ ...call, kind: 'pause', jobs: ['a'], endedAt: START_MS + 2, answer: String(stateCodes.PAUSED) }),
  ],
  [
    'I3',
    'a pause that was refused for no reason',
    (e) => e.calls.push({ ...call, kind: 'pause', jobs: ['a'], outcome: 'fail', answer: 'NO: why not' }),
  ],
  ['I4', 'two ends', (e) => e.journal.push({ ...at(e.journal, 15), n: 99 })],
  ['I4', 'a changed outcome', (e) => e.journal.push({ ...at(e.journal, 15), n: 99, kind: 'tampered' })],
  ['I4', 'an outcome of an open job', (e) => e.journal.splice(14, 1)],
  [
    'I5',
    'an attempt number that does not rise',
    (e) => [13, 14, 15].map((i) => Object.assign(at(e.journal, i), { attempt: 1 })),
  ],
  ['I5', 'more attempts than the policy allows', (e) => Object.assign(at(e.journal, 15), { counted: 6 })],
  [
    'I6',
    'a session that lapsed before its lease ended',
    (e) => Object.assign(at(e.journal, 9), { at: (START_MS + 2_900) * 1000 }),
  ],
  ['I6', 'a lease that becomes shorter', (e) => Object.assign(at(e.journal, 8), { until: (START_MS + 2_900) * 1000 })],
  ['I6', 'an attempt that lapsed under an open session', (e) => e.journal.splice(9, 1)],
  [
    'I6',
    'a grant to a session that is closed',
    (e) => [13, 14, 15].map((i) => Object.assign(at(e.journal, i), { sessionId: 's1' })),
  ],
  [
    'I6',
    'a time-out before its time',
    (e) => {
      Object.assign(at(e.journal, 10), { cause: attemptOutcomes.TIMED_OUT });
      for (const i of [10, 11]) Object.assign(at(e.journal, i), { at: (START_MS + 200) * 1000 });
    },
  ],
  ['I6', 'two grants without an end between them', (e) => e.journal.splice(10, 2)],
  ['I6', 'a release of a started attempt', (e) => e.journal.splice(10, 1)],
  ['I7', 'an end under the fence of another attempt', (e) => Object.assign(at(e.journal, 15), { attempt: 1 })],
  ['I7', 'an end by another session', (e) => Object.assign(at(e.journal, 15), { sessionId: 's1' })],
  [
    'I7',
    'a lease that was renewed after the session was closed',
    (e) => e.journal.splice(12, 0, { ...at(e.journal, 9), n: 98, from: 2, to: 2 }),
  ],
  [
    'I7',
    'a result that was accepted and did not count',
    (e) => Object.assign(at(e.reports, 0), { answer: 'ACCEPTED' }),
  ],
  ['I7', 'a refused result that counts', (e) => Object.assign(at(e.reports, 1), { answer: 'LEASE_LOST' })],
  [
    'I7',
    'a session that was refused while it was open',
    (e) => Object.assign(at(e.reports, 0), { at: START_MS + 3_000 }),
  ],
  ['I8', 'a result of another worker', (e) => Object.assign(at(e.journal, 15), { text: result('a', 1, 'one') })],
  [
    'I8',
    'the context of another attempt as a result',
    (e) => Object.assign(at(e.journal, 15), { text: JSON.stringify({ job_id: 'a', attempt: 1 }) }),
  ],
  ['I8', 'another result for the same attempt', (e) => Object.assign(at(e.reports, 2), { answer: 'DUPLICATE' })],
  ['I8', 'a reader with another answer', (e) => Object.assign(at(e.readings, 0), { text: result('a', 1, 'one') })],
  ['I9', 'a start without a grant', (e) => e.records.push({ ...at(e.records, 0), attempt: 7 })],
  ['I9', 'a start before the grant', (e) => Object.assign(at(e.records, 2), { at: START_MS + 3_500 })],
  ['I9', 'two starts of one attempt', (e) => e.records.push({ ...at(e.records, 2) })],
  ['I9', 'a start by another worker', (e) => Object.assign(at(e.records, 2), { worker: 'one' })],
  ['I9', 'a start after the attempt was lost', (e) => Object.assign(at(e.records, 0), { at: START_MS + 3_520 })],
  ['I10', 'two attempts at once', (e) => Object.assign(at(e.records, 1), { at: START_MS + 5_000 })],
  ['I13', 'a grant after the cancel was answered', (e) => Object.assign(at(e.calls, 2), { jobs: ['a'] })],
  ['I13', 'a cancelled job that fails', (e) => Object.assign(at(e.journal, 7), { to: stateCodes.FAILED })],
  ['I15', 'a job that has not ended', (e) => e.journal.splice(14, 2)],
  ['I15', 'a session that is not closed', (e) => e.journal.splice(17, 1)],
];

describe('the checker', () => {
  it('finds nothing in a complete record', () => {
    expect(check(whole()).findings.violations).toEqual([]);
  });

  it.each(breaches)('%s: finds %s', (invariant, _what, tamper) => {
    const evidence = whole();
    tamper(evidence);
    const found = check(evidence).findings.violations.map((violation) => violation.split(':')[0]);
    expect(found).toContain(invariant);
  });

  it('accepts the context of an attempt as its result', () => {
    const evidence = whole();
    const text = JSON.stringify({ definition: 'script', attempt: 2, job_id: 'a' });
    Object.assign(at(evidence.journal, 15), { text });
    Object.assign(at(evidence.readings, 0), { text });
    expect(check(evidence).findings.violations).toEqual([]);
  });

  it('accepts a cut of a lease that is too long', () => {
    const evidence = whole();
    Object.assign(at(evidence.journal, 1), { until: (START_MS + 3_600_000) * 1000 });
    expect(check(evidence).findings.violations).toEqual([]);
  });

  it('accepts what a restore of a backup has undone, and the same without a restore not', () => {
    const evidence = whole();
    const undone = { ...call, requestId: 'r4', jobs: ['gone'], endedAt: START_MS + 1_000 };
    const early = { ...at(evidence.records, 2), at: START_MS + 1_000 };
    const again = { ...at(evidence.records, 0), at: START_MS + 1_200 };
    evidence.calls.push(undone, { ...undone, kind: 'cancel', jobs: ['a'] });
    evidence.records.push(early, { ...early, job: 'gone' }, again);
    const found = (restores: Evidence['restores']) =>
      check({ ...evidence, restores }).findings.violations.map((violation) => violation.split(':')[0]);
    expect(found([{ from: START_MS + 900, to: START_MS + 1_100 }])).toEqual([]);
    expect(found([])).toEqual(expect.arrayContaining(['I1', 'I9', 'I13']));
  });

  it('excuses a process that was stopped, and says so', () => {
    const evidence = whole();
    Object.assign(at(evidence.records, 1), { at: START_MS + 5_000 });
    evidence.records.push({ kind: 'gap', worker: 'one', from: START_MS + 100, at: START_MS + 4_900 });
    const { findings } = check(evidence);
    expect(findings.violations).toEqual([]);
    expect(findings.missing(["overlap of two attempts: the first one's process had been stopped"])).toEqual([]);
  });
});
