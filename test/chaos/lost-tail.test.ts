/** The rules for what a promoted asynchronous standby may have lost: each is broken once, and noticed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { stateCodes } from '../../server/domain/jobs/job-state.ts';
import { type Evidence, Findings } from './checker/evidence.ts';
import { withoutTail } from './checker/lost-tail.ts';
import type { ReportAnswer } from './harness/careless-session.ts';
import type { JournalRow } from './harness/journal.ts';
import type { Call } from './load/load.ts';

const tail = { from: 1_000, to: 2_000 };
const call: Call = {
  kind: 'submit',
  requestId: 'r',
  keys: ['', ''],
  definitions: ['quick', 'slow'],
  jobs: ['a', 'b'],
  outcome: 'ok',
  unknown: 0,
  beganAt: 1_100,
  endedAt: 1_200,
  answer: '',
};
const row: JournalRow = {
  n: 1,
  at: 0,
  kind: 'move',
  id: 'a',
  from: stateCodes.READY,
  to: stateCodes.ASSIGNED,
  attempt: 1,
  counted: 0,
  sessionId: 's',
  until: null,
  cause: null,
  text: null,
};
const session: JournalRow = { ...row, kind: 'session', id: 's', from: null, to: 1, text: 'worker' };
const report: ReportAnswer = { job: 'a', attempt: 1, session: 's', said: 'result', answer: 'ACCEPTED', at: 3_000 };
const record = { kind: 'start' as const, worker: 'worker', attempt: 1, handler: 'quick' };

let findings: Findings;
let stored: Map<string, string>;

beforeEach(() => {
  findings = new Findings();
  stored = new Map([
    ['a', 'quick'],
    ['b', 'slow'],
  ]);
});

function judge(parts: Partial<Evidence>): Evidence {
  const none = { records: [], calls: [], reports: [], readings: [], restores: [] };
  return withoutTail({
    evidence: { journal: [row, session], ...none, leaseMs: 3_000, minLeaseMs: 3_000, maxAttempts: 5, ...parts },
    tail,
    stored,
    findings,
  });
}

describe('an accepted submission', () => {
  it('may be lost if it was answered in the tail, and is counted', () => {
    stored.clear();
    expect(judge({ calls: [call] }).calls).toEqual([]);
    expect(findings.violations).toEqual([]);
    expect(findings.counts.get('jobs accepted and lost with the tail')).toBe(2);
  });

  it.each([
    ['before', { beganAt: 800, endedAt: 900 }],
    ['after', { beganAt: 2_100, endedAt: 2_200 }],
  ])('must not be lost if it was answered %s the tail', (_, times) => {
    stored.clear();
    judge({ calls: [{ ...call, ...times }] });
    expect(findings.violations).toEqual([expect.stringMatching(/^I1: .*not answered in the tail/)]);
  });

  it('must not be lost in part', () => {
    stored.delete('b');
    judge({ calls: [call] });
    expect(findings.violations).toEqual([expect.stringMatching(/^I1: .*lost in part/)]);
  });

  it('must not be stored under the definition of another', () => {
    stored.set('b', 'quick');
    judge({ calls: [call] });
    expect(findings.violations).toEqual(['I1: job b was submitted to slow and is stored under quick']);
  });

  it('that is there is judged by all checks', () => {
    expect(judge({ calls: [call] }).calls).toEqual([call]);
  });
});

describe('a report after the promotion', () => {
  it('must have no effect on an attempt whose grant is lost', () => {
    judge({ reports: [{ ...report, attempt: 2 }] });
    expect(findings.violations).toEqual([expect.stringMatching(/^I7: .*ACCEPTED, and its grant is lost/)]);
  });

  it('may be refused for an attempt whose grant is lost', () => {
    judge({ reports: [{ ...report, attempt: 2, answer: 'LEASE_LOST' }] });
    expect(findings.violations).toEqual([]);
  });

  it('is judged by all checks if its grant is there', () => {
    expect(judge({ reports: [report] }).reports).toEqual([report]);
    expect(findings.violations).toEqual([]);
  });
});

describe('the records about a job', () => {
  const cancel: Call = { ...call, kind: 'cancel', jobs: ['a'] };
  const records = ['a', 'b'].map((job) => ({ ...record, job, at: 100 }));
  const life = (id: string, fromMs: number, toMs: number): JournalRow[] => [
    { ...row, kind: 'create', id, to: stateCodes.READY, at: fromMs * 1_000 },
    { ...row, kind: 'end', id, to: stateCodes.SUCCEEDED, at: toMs * 1_000 },
  ];

  it.each([
    ['ended before', 500, 900],
    ['was created after', 2_100, 2_200],
  ])('are judged by all checks if it %s the tail', (_, fromMs, toMs) => {
    const kept = judge({ journal: life('a', fromMs, toMs), calls: [cancel], records });
    expect(kept).toMatchObject({ calls: [cancel], records });
  });

  it('are left to the journal if it was open in the tail', () => {
    const kept = judge({ journal: life('a', 500, 2_500), calls: [cancel], records });
    expect(kept).toMatchObject({ calls: [], records: [{ job: 'b' }] });
  });
});
