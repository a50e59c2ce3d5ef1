/** The five checks on an assignment, and their order. */
import { describe, expect, test } from 'vitest';
import { ReleaseReason } from '../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import type { AcceptanceFacts } from '../../../sdk/typescript/src/worker/core/dispatch/acceptance.ts';
import { judge } from '../../../sdk/typescript/src/worker/core/dispatch/acceptance.ts';
import { assign, CoreWorld } from './support/core-world.ts';

const FINE: AcceptanceFacts = {
  held: false,
  seen: false,
  fenced: false,
  full: false,
  cancelled: false,
  draining: false,
  supported: true,
  creditUnspent: true,
  slotFree: true,
};

/** Each obstacle with the resulting verdict, in the order of the checks. */
const OBSTACLES: [string, Partial<AcceptanceFacts>, string][] = [
  ['held', { held: true }, 'ignore'],
  ['seen', { seen: true }, 'ignore'],
  ['fenced', { fenced: true }, 'ignore'],
  ['full', { full: true }, 'ignore'],
  ['cancelled', { cancelled: true }, 'CANCELLED'],
  ['draining', { draining: true }, 'DRAIN'],
  ['unsupported', { supported: false }, 'UNSUPPORTED'],
  ['credit spent', { creditUnspent: false }, 'DEAD_CREDIT'],
  ['no slot', { slotFree: false }, 'NO_SLOT'],
];

function verdict(facts: Partial<AcceptanceFacts>): string {
  const found = judge({ ...FINE, ...facts });
  if (found.kind !== 'release') return found.kind;
  return Object.entries(ReleaseReason).find(([, value]) => value === found.reason)?.[0] ?? '?';
}

test('an assignment without an obstacle is accepted', () => {
  expect(verdict({})).toBe('accept');
});

test.each(OBSTACLES)('an assignment with the obstacle %s: %o gets the verdict %s', (_name, facts, expected) => {
  expect(verdict(facts)).toBe(expected);
});

describe('an assignment with two obstacles is judged by the earlier one:', () => {
  const pairs = OBSTACLES.flatMap(([first, facts, expected], i) =>
    OBSTACLES.slice(i + 1).map(([second, more]) => [first, second, { ...facts, ...more }, expected] as const),
  );
  test.each(pairs)('%s and %s', (_first, _second, facts, expected) => {
    expect(verdict(facts)).toBe(expected);
  });
});

describe('a session', () => {
  test('starts a valid assignment without a round trip', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit)]);
    expect(world.started).toHaveLength(1);
    expect(world.reports).toHaveLength(0);
  });

  test('ignores a duplicate while the attempt runs, and after its report as long as the credit lives', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    const job = assign(1, credit);
    await world.deliver([job, job]);
    await world.deliver([job]);
    expect(world.started).toHaveLength(1);
    await world.end(job);
    await world.acknowledge();
    await world.deliver([job]);
    expect(world.started).toHaveLength(1);
    expect(world.outcomes).toEqual(['1.1 result']);
    expect(world.core.stats.duplicates).toBe(3);
  });

  test('releases a duplicate that outlives its credit, and never starts it', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    const job = assign(1, credit);
    await world.deliver([job]);
    await world.end(job);
    await world.acknowledge();
    await world.advanceBeating(15_000);
    await world.deliver([job]);
    expect(world.started).toHaveLength(1);
    expect(world.outcomes).toEqual(['1.1 result', '1.1 released DEAD_CREDIT']);
  });

  test('treats a later attempt of the same job as another attempt', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit), assign(1, credit, { attempt: 2 })]);
    expect(world.started).toHaveLength(2);
  });

  test('releases an attempt with an unknown, spent, voided or expired credit', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const first = assign(1, credit);
    await world.deliver([assign(2, 99n), first]);
    await world.deliver([assign(3, credit)]);
    await world.acknowledge();
    await world.end(first);
    const next = world.lastCredit;
    await world.connect(false);
    await world.deliver([assign(4, next)]);
    await world.acknowledge();
    await world.acknowledge();
    expect(world.outcomes).toEqual([
      '2.1 released DEAD_CREDIT',
      '3.1 released DEAD_CREDIT',
      '1.1 result',
      '4.1 released DEAD_CREDIT',
    ]);
    expect(world.started).toEqual([first]);
  });

  test('releases an attempt without a handler for it or its version', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit, { handler: 'other' }), assign(2, credit, { version: 3 })]);
    expect(world.outcomes).toEqual(['1.1 released UNSUPPORTED', '2.1 released UNSUPPORTED']);
  });

  test('releases an attempt with NO_SLOT when the slot was taken meanwhile', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const first = assign(1, credit);
    await world.deliver([first]);
    await world.end(first);
    // The report that freed the slot grants it anew, with one prefetch permit.
    const next = world.lastCredit;
    expect([next.slots, next.prefetch]).toEqual([1, 1]);
    await world.deliver([assign(2, next, { prefetch: true })]);
    await world.deliver([assign(3, next)]);
    expect(world.started).toHaveLength(2);
    await world.acknowledge();
    expect(world.outcomes).toEqual(['1.1 result', '3.1 released NO_SLOT']);
  });

  test('handles attempts for slots before prefetched ones in one message', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const first = assign(1, credit);
    await world.deliver([first]);
    await world.end(first);
    const next = world.lastCredit;
    const slot = assign(3, next);
    await world.deliver([assign(2, next, { prefetch: true }), slot]);
    expect(world.started.at(-1)).toBe(slot);
    await world.end(slot);
    expect(world.started).toHaveLength(3);
  });

  test('treats assignments in a reply like those from the bus', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.time.advance(5_000);
    const job = assign(1, credit);
    await world.answerBeats({ assignments: [job, assign(2, 99n)] });
    expect(world.started).toEqual([job]);
    expect(world.outcomes).toEqual(['2.1 released DEAD_CREDIT']);
  });
});
