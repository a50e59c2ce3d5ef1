/** The five questions that decide about an assignment, and their order. */
import { describe, expect, test } from 'vitest';
import { ReleaseReason } from '../../../sdk/typescript/src/gen/muster/v1/session_service_pb.ts';
import type { AcceptanceFacts } from '../../../sdk/typescript/src/worker/core/acceptance.ts';
import { judge } from '../../../sdk/typescript/src/worker/core/acceptance.ts';
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

/** Each obstacle with the verdict that it leads to, in the order in which they are looked at. */
const OBSTACLES: [string, Partial<AcceptanceFacts>, string][] = [
  ['held', { held: true }, 'ignore'],
  ['seen', { seen: true }, 'ignore'],
  ['fenced', { fenced: true }, 'ignore'],
  ['full', { full: true }, 'ignore'],
  ['cancelled', { cancelled: true }, 'CANCELLED'],
  ['draining', { draining: true }, 'DRAIN'],
  ['unsupported', { supported: false }, 'UNSUPPORTED'],
  ['credit spent', { creditUnspent: false }, 'DEAD_CREDIT'],
  ['no place', { slotFree: false }, 'NO_SLOT'],
];

function verdict(facts: Partial<AcceptanceFacts>): string {
  const found = judge({ ...FINE, ...facts });
  if (found.kind !== 'release') return found.kind;
  return Object.entries(ReleaseReason).find(([, value]) => value === found.reason)?.[0] ?? '?';
}

test('with no obstacle, the assignment is accepted', () => {
  expect(verdict({})).toBe('accept');
});

test.each(OBSTACLES)('%s alone: %o leads to %s', (_name, facts, expected) => {
  expect(verdict(facts)).toBe(expected);
});

describe('of two obstacles the earlier one decides', () => {
  const pairs = OBSTACLES.flatMap(([first, facts, expected], i) =>
    OBSTACLES.slice(i + 1).map(([second, more]) => [first, second, { ...facts, ...more }, expected] as const),
  );
  test.each(pairs)('%s and %s', (_first, _second, facts, expected) => {
    expect(verdict(facts)).toBe(expected);
  });
});

describe('in a session', () => {
  test('a good assignment starts without a round trip', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit)]);
    expect(world.started).toHaveLength(1);
    expect(world.reports).toHaveLength(0);
  });

  test('a duplicate is ignored while the attempt runs, and after its report as long as the credit lives', async () => {
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

  test('a duplicate that outlives its credit is given back, never started', async () => {
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

  test('a later attempt of the same job is another attempt', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit), assign(1, credit, { attempt: 2 })]);
    expect(world.started).toHaveLength(2);
  });

  test('unknown, spent, voided and expired credits give the attempt back', async () => {
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

  test('a handler that is not there, or not for this version, gives it back', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.deliver([assign(1, credit, { handler: 'other' }), assign(2, credit, { version: 3 })]);
    expect(world.outcomes).toEqual(['1.1 released UNSUPPORTED', '2.1 released UNSUPPORTED']);
  });

  test('a slot that was promised and taken meanwhile gives it back: NO_SLOT', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const first = assign(1, credit);
    await world.deliver([first]);
    await world.end(first);
    // The report that freed the slot grants it anew, with one prefetch place.
    const next = world.lastCredit;
    expect([next.slots, next.prefetch]).toEqual([1, 1]);
    await world.deliver([assign(2, next, { prefetch: true })]);
    await world.deliver([assign(3, next)]);
    expect(world.started).toHaveLength(2);
    await world.acknowledge();
    expect(world.outcomes).toEqual(['1.1 result', '3.1 released NO_SLOT']);
  });

  test('in one message, attempts of slots are looked at before prefetched ones', async () => {
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

  test('what a reply carries is treated as what the bus carries', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    await world.time.advance(5_000);
    const job = assign(1, credit);
    await world.answerBeats({ assignments: [job, assign(2, 99n)] });
    expect(world.started).toEqual([job]);
    expect(world.outcomes).toEqual(['2.1 released DEAD_CREDIT']);
  });
});
