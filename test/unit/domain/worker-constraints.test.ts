/** Texts about workers: which come nearest, why suitable ones do not take the job, and which jobs are ahead. */
import { describe, expect, it } from 'vitest';
import type { Demands } from '../../../server/domain/dispatch/demands.ts';
import { canonicalDemands, type LaneKey } from '../../../server/domain/dispatch/placement.ts';
import {
  type CapacityInUse,
  type OpenSession,
  type Preference,
  workerConstraints,
  workerReason,
} from '../../../server/domain/explain/worker-constraints.ts';

const lane: LaneKey = {
  namespace: 'default',
  queue: 'images',
  definition: 'resize',
  definitionVersion: 3,
  demands: '',
  suspect: false,
};
const work = { lane, handler: 'resize' };
const inGpuLane = { lane: { ...lane, demands: '{"gpu":"a100"}' }, handler: 'resize' };
const demanding = (demands: Partial<Demands>) => ({
  ...work,
  lane: { ...lane, demands: canonicalDemands({ labels: {}, ...demands }) },
});
let opened = 0;

function session(changes: Partial<OpenSession> = {}): OpenSession {
  return {
    sessionId: `s${++opened}`,
    workerName: 'w',
    namespace: 'default',
    handlers: [{ name: 'resize', minVersion: 0, maxVersion: 0 }],
    labels: {},
    openTimeUs: opened,
    slots: 2,
    held: 0,
    unavailable: undefined,
    ...changes,
  };
}

const serving = (minVersion: number, maxVersion: number) =>
  session({ handlers: [{ name: 'resize', minVersion, maxVersion }] });
const noLine = { suspects: undefined, line: undefined, inUse: undefined };

function whyNone(sessions: readonly OpenSession[], asked = work): string | undefined {
  const [found] = workerConstraints({ work: asked, sessions, ...noLine });
  expect(found?.reason ?? 'NO_WORKER').toBe('NO_WORKER');
  return found?.message;
}

describe('the constraint NO_WORKER', () => {
  it('does not exist when a session takes the job', () => {
    expect(whyNone([session()])).toBeUndefined();
    expect(whyNone([serving(2, 4), serving(1, 1)])).toBeUndefined();
  });

  it.each<[string, readonly OpenSession[], typeof work, string]>([
    [
      'that no session is open',
      [],
      work,
      'no session serves definition resize version 3; none is open in its namespace',
    ],
    [
      'other handlers',
      [session({ handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }] })],
      work,
      'no session serves definition resize version 3; 1 session serves other handlers',
    ],
    [
      'another version',
      [serving(2, 2), serving(2, 2)],
      work,
      'no session serves definition resize version 3; 2 sessions serve version 2',
    ],
    [
      'other versions',
      [serving(0, 2), serving(4, 0), serving(4, 6)],
      work,
      'no session serves definition resize version 3; 3 sessions serve versions 4 to 6, versions from 4 on, versions up to 2',
    ],
    [
      'a missing label',
      [session(), session({ labels: { gpu: 't4' } })],
      inGpuLane,
      'no session serves definition resize version 3 with the label gpu=a100; 2 sessions serve it without that label',
    ],
    [
      'missing labels',
      [session({ labels: { gpu: 'a100' } })],
      demanding({ labels: { gpu: 'a100', zone: 'a' } }),
      'no session serves definition resize version 3 with the labels gpu=a100, zone=a; 1 session serves it without all of those labels',
    ],
    [
      'an expression over labels that is false',
      [session(), session()],
      demanding({ required: 'has(labels.ssd)' }),
      'no session serves definition resize version 3, whose labels meet: has(labels.ssd); 2 sessions serve it with other labels',
    ],
    [
      'too few resources',
      [session({ resources: { gpu: 2 } }), session({ resources: { gpu: 1 } })],
      demanding({ resources: { gpu: 4 } }),
      'no session serves definition resize version 3 that has gpu 4; 2 sessions serve it and have less',
    ],
    [
      'missing labels with enough resources',
      [session({ resources: { gpu: 8 } })],
      demanding({ resources: { gpu: 4 }, labels: { zone: 'a' }, required: 'has(labels.ssd)' }),
      'no session serves definition resize version 3 with the label zone=a that has gpu 4, whose labels meet: has(labels.ssd); 1 session serves it with other labels',
    ],
    [
      'too few resources at sessions with the labels',
      [session({ resources: { gpu: 8 } }), session({ resources: { gpu: 1 }, labels: { zone: 'a' } })],
      demanding({ resources: { gpu: 4 }, labels: { zone: 'a' } }),
      'no session serves definition resize version 3 with the label zone=a that has gpu 4; 1 session serves it and has less',
    ],
    [
      'a handler with another name',
      [],
      { ...work, handler: 'convert' },
      'no session serves definition resize version 3 by its handler convert; none is open in its namespace',
    ],
    [
      'sessions that accept nothing now',
      [session({ unavailable: 'draining' }), session({ unavailable: 'lapsed' }), session({ unavailable: 'deaf' })],
      work,
      'no session takes definition resize version 3: of the 3 sessions that could, 1 is draining, 1 is past its lease, 1 is deaf to the message bus',
    ],
  ])('explains %s', (_, sessions, asked, message) => {
    expect(whyNone(sessions, asked)).toBe(message);
  });

  it('names the worker that a job is bound to when that one is gone or takes nothing, whatever others there are', () => {
    const hard = demanding({ sticky: { worker: 'a', mode: 'HARD' } });
    expect(whyNone([session({ workerName: 'b' })], hard)).toBe(
      'it waits for worker a, which it keeps to: it is not connected, or no longer serves it',
    );
    expect(whyNone([session({ workerName: 'b' }), session({ workerName: 'a', unavailable: 'draining' })], hard)).toBe(
      'no session takes definition resize version 3 as worker a: of the 1 session that could, 1 is draining',
    );
    expect(whyNone([session({ workerName: 'b' }), session({ workerName: 'a' })], hard)).toBeUndefined();
    expect(
      whyNone([session({ workerName: 'b' })], demanding({ sticky: { worker: 'a', mode: 'SOFT' } })),
    ).toBeUndefined();
  });

  it('names at most ten suitable sessions, the oldest first, and their number', () => {
    const sessions = Array.from({ length: 12 }, () => session({ unavailable: 'draining' })).reverse();
    const [found] = workerConstraints({ work, sessions, ...noLine });
    expect(found?.blockers.count).toBe(12);
    expect(found?.blockers.list.map(({ sessionId }) => sessionId)).toEqual(
      sessions
        .toReversed()
        .slice(0, 10)
        .map(({ sessionId }) => sessionId),
    );
  });
});

describe('the constraint IN_LINE', () => {
  const line = (before: number, isLeast = false) => ({ before, isLeast, first: [{ jobId: 'j' }] });
  const why = (sessions: readonly OpenSession[], at: ReturnType<typeof line>) =>
    workerConstraints({ work, sessions, suspects: undefined, line: at, inUse: undefined }).map(
      ({ reason, message }) => [reason, message],
    );
  const busy = { held: 2 };

  it('does not exist for the next job while there is capacity', () => {
    expect(why([session(), session(busy)], line(0))).toEqual([]);
  });

  it.each([
    [
      line(0),
      [session(busy), session(busy)],
      'it is next, and none of the 2 sessions that could take it has a free slot',
    ],
    [line(1), [session()], '1 job comes before it'],
    [line(7), [session(busy)], '7 jobs come before it, and the one session that could take it has no free slot'],
    [line(1_000, true), [session()], '1000 jobs or more come before it'],
  ])('names the jobs ahead, and says that no session has capacity: %o', (at, sessions, message) => {
    expect(why(sessions, at)).toEqual([['IN_LINE', message]]);
  });
});

describe('the constraint on capacity', () => {
  const gpus = (workerName: string, changes: Partial<OpenSession> = {}) =>
    session({ sessionId: workerName, workerName, resources: { gpu: 2 }, ...changes });
  const takenBy = (...names: string[]) =>
    new Map(names.map((name) => [name, [{ resources: { gpu: 1 }, jobs: 1 }]] as const));
  const next = { before: 0, isLeast: false, first: [] };
  const why = (sessions: readonly OpenSession[], changes: Partial<CapacityInUse>) => {
    const inUse = { taken: new Map(), reserved: new Set<string>(), ...changes };
    const facts = { work: demanding({ resources: { gpu: 2 } }), sessions, suspects: undefined, line: next, inUse };
    return workerConstraints(facts).map(({ message }) => message);
  };

  it('exists when leased jobs use all resources of sessions, though these have free slots', () => {
    expect(why([gpus('a'), gpus('b')], { taken: takenBy('a') })).toEqual([]);
    expect(why([gpus('a'), gpus('b', { held: 2 })], { taken: takenBy('a') })).toEqual([
      'it is next, and it waits for capacity: it takes gpu 2; worker a has less than that left',
    ]);
    expect(why([gpus('a'), gpus('b')], { taken: takenBy('a', 'b') })).toEqual([
      'it is next, and it waits for capacity: it takes gpu 2; 2 workers that could run it have less than that left',
    ]);
  });

  it('says that capacity is reserved for other jobs', () => {
    const kept = ['it is next, and the sessions with capacity for it are reserved for jobs that have waited longer'];
    expect(why([gpus('a')], { reserved: new Set(['a']) })).toEqual(kept);
    expect(why([gpus('a'), gpus('b')], { reserved: new Set(['a']), taken: takenBy('b') })).toEqual(kept);
    expect(why([gpus('a'), gpus('b')], { reserved: new Set(['a']) })).toEqual([]);
  });
});

describe('a preferred session', () => {
  const untilUs = Date.UTC(2026, 2, 1, 12) * 1_000;
  const [wanted, other] = [session({ sessionId: 'wanted', held: 2 }), session({ sessionId: 'other' })];
  const out: Preference = { worker: 'host-1', sessionIds: new Set(['wanted']), untilUs };
  const text = 'it holds out for worker host-1 until about 2026-03-01T12:00:00Z, and then takes any other';
  const at = (before: number) => ({ before, isLeast: false, first: [{ jobId: 'j' }] });
  const why = (sessions: readonly OpenSession[], before = 0, preference = out) =>
    workerConstraints({ work, sessions, suspects: undefined, line: at(before), inUse: undefined, preference });

  it('is named with the time at which others may take the job', () => {
    expect(why([wanted, other])).toMatchObject([
      {
        reason: 'IN_LINE',
        message: `it is next, and ${text}`,
        openTimeUs: untilUs,
        mayOpenSooner: true,
        blockers: { count: 1, list: [{ sessionId: 'wanted' }] },
        nextStep: 'wait, give worker host-1 more slots, or raise its priority with UpdateJob',
      },
    ]);
    const preferred = { preferred: 'has(labels.ssd)', sessionIds: out.sessionIds, untilUs };
    expect(why([wanted, other], 0, preferred)[0]?.message).toContain(
      'a worker whose labels meet has(labels.ssd) until',
    );
  });

  it('is named without a time while jobs ahead may wait for a preferred session too', () => {
    const [found] = why([wanted, other], 2);
    expect(found).toMatchObject({ message: `2 jobs come before it, and ${text}`, blockers: { count: 2 } });
    expect(found?.openTimeUs).toBeUndefined();
  });

  it('is not named when no other session has a free slot', () => {
    expect(why([session({ sessionId: 'wanted' })])).toEqual([]);
    expect(why([session({ sessionId: 'wanted' }), session({ held: 2 })])).toEqual([]);
    expect(why([wanted])[0]?.message).toBe('it is next, and the one session that could take it has no free slot');
  });

  it('is named when the queue is not examined', () => {
    const facts = { work, suspects: undefined, preference: out };
    expect(workerReason({ ...facts, sessions: [wanted, other] })).toEqual({ reason: 'IN_LINE', message: text });
    expect(workerReason({ ...facts, sessions: [wanted] }).message).toMatch(/has no free slot$/);
    expect(workerReason({ ...facts, sessions: [other], preference: undefined }).message).toBe('');
    expect(workerReason({ ...facts, sessions: [] }).reason).toBe('NO_WORKER');
  });
});

describe('a session class that is barred from a job', () => {
  it('may take it when the bar ends, the first bar of several', () => {
    const barred = (second: number) =>
      session({ unavailable: 'barred', barredUntilUs: Date.UTC(2026, 2, 1, 12, 0, second) * 1_000 });
    const [found] = workerConstraints({ work, sessions: [barred(20), barred(10)], ...noLine });
    expect(found).toMatchObject({ reason: 'NO_WORKER', openTimeUs: Date.UTC(2026, 2, 1, 12, 0, 10) * 1_000 });
    const kind = "barred until 2026-03-01T12:00:10Z, because a session of the same class reported that it can't run it";
    expect(found?.message).toContain(`of the 2 sessions that could, 2 are ${kind}`);
    expect(whyNone([barred(10), session({ unavailable: 'draining' })])).toMatch(
      /could, 1 is draining, 1 is barred until/,
    );
    expect(whyNone([barred(10), session()])).toBeUndefined();
  });
});

describe('a suspect job', () => {
  it('waits for a session without another suspect', () => {
    const suspects = { count: 1, list: [{ jobId: 'other' }] };
    const [found] = workerConstraints({ work, sessions: [session()], suspects, line: undefined, inUse: undefined });
    expect(found).toMatchObject({ reason: 'SUSPECT', blockers: suspects });
    expect(found?.message).toMatch(/never runs together with another such job; 1 session that could take it has one$/);
  });
});
