/** Triggers over the wire: conditions with several causes, keys, filters and spans, and what ExplainTrigger says. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { World } from '../base/world.ts';
import {
  allOf,
  anyOf,
  type Condition,
  onAsset,
  onJob,
  only,
  onSchedule,
  onSignal,
  span,
  Triggering,
} from './triggering.ts';

const msOf = (time: Timestamp | undefined) => (time ? timestampMs(time) : Number.NaN);
/** The clock of the test is the database’s, to the millisecond. */
const isPast = (ms: number) => Date.now() > ms + 2;

describe.each(databaseKinds)('a trigger on %s', (kind) => {
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.startOn(kind);
    triggering = new Triggering(world);
  });

  afterAll(() => world?.stop());

  const names = (...words: string[]) => words.map((word) => triggering.newName(word)) as [string, string, string];
  const send = (name: string, payload?: unknown) => triggering.send(name, payload);
  /** Kinds of causes, by their numbers in the condition, of each run, the oldest run first. */
  const numbers = async (name: string, runs: number) =>
    (await triggering.inputs(name, runs)).map(({ causes }) => causes.map(({ condition }) => condition));

  describe('with all_of', () => {
    it('starts a job when the last of them has happened, and then waits for all of them again', async () => {
      const [a, b, c] = names('a', 'b', 'c');
      const name = await triggering.on(allOf([onSignal(a), onSignal(b), onSignal(c)]));
      for (const signal of [c, a, a, b]) await send(signal);
      expect(await numbers(name, 1)).toEqual([[2, 0, 1]]);
      expect(await triggering.progress(name)).toEqual([]);
      for (const signal of [a, b]) await send(signal);
      await triggering.holds(name, 2);
      await send(c);
      expect(await numbers(name, 2)).toEqual([
        [2, 0, 1],
        [0, 1, 2],
      ]);
    });

    it('keeps the newest of several for one cause, and counts them', async () => {
      const [a, b] = names('a', 'b');
      const name = await triggering.on(allOf([onSignal(a), onSignal(b)]));
      for (const n of [1, 2, 3]) await send(a, n);
      expect(await triggering.holds(name, 3)).toMatchObject([{ held: [{ condition: 0, count: 3n }] }]);
      await send(b, 4);
      expect((await triggering.onlyRun(name)).input.causes).toMatchObject([
        { condition: 0, count: 3, name: a, payload: 3 },
        { condition: 1, count: 1, name: b, payload: 4 },
      ]);
    });

    it('takes one signal for each of its causes', async () => {
      const [a] = names('a');
      const big = { filter: 'cause.payload > 10' };
      const name = await triggering.on(allOf([onSignal(a), onSignal(a, big)]));
      expect(await send(a, 1)).toMatchObject({ triggerCount: 1n });
      expect(await triggering.holds(name, 1)).toMatchObject([{ held: [{ condition: 0 }] }]);
      await send(a, 11);
      expect((await triggering.inputs(name, 1))[0]?.causes).toMatchObject([
        { condition: 0, payload: 11, count: 2 },
        { condition: 1, payload: 11, count: 1 },
      ]);
    });
  });

  it('with any_of starts a job for each of them', async () => {
    const [a, b] = names('a', 'b');
    const name = await triggering.on(anyOf([onSignal(a), onSignal(b)]));
    for (const signal of [b, a, b]) await send(signal);
    expect(await numbers(name, 3)).toEqual([[1], [0], [1]]);
  });

  it('with nested conditions starts a job when the whole is met', async () => {
    const [a, b, c] = names('a', 'b', 'c');
    const [d] = names('d');
    const name = await triggering.on(allOf([onSignal(a), anyOf([onSignal(b), allOf([onSignal(c), onSignal(d)])])]));
    for (const signal of [c, a]) await send(signal);
    expect((await triggering.holds(name, 2)).map(({ missing }) => missing)).toEqual([[`signal ${b}, or signal ${d}`]]);
    await send(d);
    expect(await numbers(name, 1)).toEqual([[2, 0, 3]]);
    for (const signal of [c, b, a]) await send(signal);
    // What has happened for an alternative is of the same run.
    expect(await numbers(name, 2)).toEqual([
      [2, 0, 3],
      [2, 1, 0],
    ]);
    expect(await triggering.progress(name)).toEqual([]);
  });

  describe('with a key', () => {
    const key = 'cause.payload.order';

    it('judges each key by itself', async () => {
      const [a, b] = names('a', 'b');
      const name = await triggering.on(allOf([onSignal(a, { key }), onSignal(b, { key })]));
      await send(a, { order: 'x' });
      await send(b, { order: 'y' });
      expect((await triggering.holds(name, 2)).map((one) => [one.key, one.missing])).toEqual([
        ['x', [`signal ${b}`]],
        ['y', [`signal ${a}`]],
      ]);
      await send(a, { order: 'y' });
      const { run, input } = await triggering.onlyRun(name);
      expect([run.key, input.key, input.causes.map(({ condition }) => condition)]).toEqual(['y', 'y', [1, 0]]);
      expect((await triggering.progress(name)).map((one) => one.key)).toEqual(['x']);
    });

    it('takes the texts of numbers and truth values, and no null, no list and none that is missing', async () => {
      const [a] = names('a');
      const name = await triggering.on(onSignal(a, { key }));
      const orders = [null, [], {}, 'x'.repeat(257), 'a\nb', undefined, 7, 1.5, true, '', 'ü', 'last'];
      for (const order of orders) await send(a, { order });
      const inputs = await triggering.inputs(name, 6);
      expect(inputs.map((input) => input.key)).toEqual(['7', '1.5', 'true', '', 'ü', 'last']);
    });

    it('takes it from any field of a cause', async () => {
      const [a] = names('a');
      const name = await triggering.on(onSignal(a, { key: 'cause.key + "/" + cause.name + "/" + cause.kind' }));
      await triggering.send(a, 1, 'k');
      expect((await triggering.onlyRun(name)).run.key).toBe(`k/${a}/signal`);
    });
  });

  describe('with a filter', () => {
    it('counts only what it is true for: a filter that fails counts as false', async () => {
      const [a] = names('a');
      const name = await triggering.on(onSignal(a, { filter: 'cause.payload.amount > 100' }));
      for (const payload of [{ amount: 5 }, { amount: 'x' }, {}, 'no JSON', [], { amount: 101 }])
        await send(a, payload);
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ count: 1, payload: { amount: 101 } });
    });

    it('does not count causes for which it yields no truth value', async () => {
      const [a] = names('a');
      const name = await triggering.on(onSignal(a, { filter: 'cause.payload.yes' }));
      for (const yes of ['true', 1, null, false, true]) await send(a, { yes });
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ payload: { yes: true } });
    });

    it('that takes too long does not count, and holds up no other trigger', async () => {
      const [a] = names('a');
      const slow = "cause.key == 'short' || cause.payload.contains(cause.payload)";
      const [late, other] = [await triggering.on(onSignal(a, { filter: slow })), await triggering.on(onSignal(a))];
      for (let n = 0; n < 20; n++) await triggering.send(a, JSON.stringify('x'.repeat(50_000)));
      await triggering.send(a, {}, 'short');
      expect(only((await triggering.onlyRun(late)).input.causes)).toMatchObject({ key: 'short' });
      expect(await triggering.runs(other, 21)).toHaveLength(21);
    });
  });

  describe('with within', () => {
    it('counts only causes that come within that time of each other', async () => {
      const [a, b] = names('a', 'b');
      const name = await triggering.on(allOf([onSignal(a), onSignal(b)], 300));
      await send(a, 'old');
      const [before] = await triggering.holds(name, 1);
      await eventually('the time is over', () => isPast(msOf(before?.sinceTime) + 300));
      await send(b);
      const after = await eventually('the older cause is dropped', async () => {
        const progress = await triggering.progress(name);
        return progress[0]?.held[0]?.condition === 1 && progress;
      });
      expect(after).toMatchObject([{ held: [{ condition: 1, count: 1n }], missing: [`signal ${a}`] }]);
      const runs = await eventually('both come within that time', async () => {
        await Promise.all([send(a), send(b)]);
        const found = await triggering.runsOf(name);
        return found.some(({ jobId }) => jobId !== '') && found;
      });
      const { causes } = only(await triggering.inputs(name, 1));
      expect(causes).toHaveLength(2);
      expect(runs.length).toBeGreaterThan(0);
      const [first, second] = causes.map(({ time }) => Date.parse(time)) as [number, number];
      expect(second - first).toBeLessThanOrEqual(300);
    });

    it('of a nested all_of lets the rest wait for longer', async () => {
      const [a, b, c] = names('a', 'b', 'c');
      const name = await triggering.on(allOf([allOf([onSignal(a), onSignal(b)], 300), onSignal(c)]));
      await eventually('both come within that time', async () => {
        await Promise.all([send(a, '"in time"'), send(b)]);
        return (await triggering.progress(name))[0]?.missing.join() === `signal ${c}`;
      });
      const sentMs = Date.now();
      await eventually('the time is over', () => isPast(sentMs + 300));
      // It would be too late for the pair: it does not replace the one that is in time.
      await send(a, 'late');
      await send(c);
      const { causes } = (await triggering.onlyRun(name)).input;
      expect(causes.map(({ condition }) => condition).sort()).toEqual([0, 1, 2]);
      const [first, second] = causes.filter(({ condition }) => condition < 2).map(({ time }) => Date.parse(time));
      expect((second ?? Number.NaN) - (first ?? 0)).toBeLessThanOrEqual(300);
      expect(causes.find(({ condition }) => condition === 0)?.payload).toEqual('in time');
    });
  });

  it('drops a cause after expire_after: it is not explained, and does not count any more', async () => {
    const [a, b] = names('a', 'b');
    const definition = await world.define();
    const settings = { condition: allOf([onSignal(a), onSignal(b)]), job: { definition } };
    const { name } = await triggering.apply({ ...settings, expireAfter: span(1_500) });
    await send(a, 'expires');
    const progress = only(await triggering.holds(name, 1));
    expect(msOf(progress.expireTime) - msOf(progress.sinceTime)).toBe(1_500);
    await eventually('explain loses it', async () => (await triggering.progress(name)).length === 0);
    expect(isPast(msOf(progress.expireTime) - 5)).toBe(true);
    // A cause is held for as long as was set when it happened.
    await triggering.apply({ ...settings, name, expireAfter: span(3_600_000) });
    await send(b, 'counts');
    expect(await triggering.holds(name, 1)).toMatchObject([{ held: [{ condition: 1 }], missing: [`signal ${a}`] }]);
    await send(a, 'counts');
    const { causes } = (await triggering.onlyRun(name)).input;
    expect(causes.map(({ condition, count }) => [condition, count])).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });

  describe('is explained', () => {
    it('with what must happen, each cause as a phrase', async () => {
      const condition: Condition = allOf([
        onSignal('paid.fully'),
        onAsset('orders'),
        onSchedule('nightly'),
        onJob('load'),
        onJob('load', [JobState.FAILED, JobState.EXPIRED]),
        anyOf([onSignal('x'), allOf([onSignal('y'), onSignal('z')])]),
      ]);
      const { progress, missing, nextPageToken } = await triggering.explain(await triggering.on(condition));
      expect([progress, nextPageToken]).toEqual([[], '']);
      expect(missing).toEqual([
        'signal paid.fully',
        'asset orders',
        'schedule nightly',
        'job load (SUCCEEDED)',
        'job load (FAILED or EXPIRED)',
        'signal x, or signal y and signal z',
      ]);
    });

    it('with what has happened and what is missing, since when and until when', async () => {
      const [a, b, c] = names('a', 'b', 'c');
      const condition = allOf([onSignal(a), onSignal(b), anyOf([onSignal(c), onAsset('orders')])]);
      const name = await triggering.on(condition, { expireAfter: span(60_000) });
      for (const signal of [b, a, a]) await send(signal);
      const { missing } = await triggering.explain(name);
      expect(missing).toEqual([`signal ${a}`, `signal ${b}`, `signal ${c}, or asset orders`]);
      const one = only(await triggering.holds(name, 3));
      expect(one).toMatchObject({
        key: '',
        held: [
          { condition: 0, text: `signal ${a}`, count: 2n },
          { condition: 1, text: `signal ${b}`, count: 1n },
        ],
        missing: [`signal ${c}, or asset orders`],
      });
      const [timeOfA, timeOfB] = one.held.map(({ time }) => time);
      expect(one.sinceTime).toEqual(timeOfB);
      expect(msOf(timeOfA)).toBeGreaterThan(msOf(timeOfB));
      expect(msOf(one.expireTime) - msOf(timeOfB)).toBe(60_000);
    });

    it('by key, over several pages', async () => {
      const [a, b] = names('a', 'b');
      const key = 'cause.key';
      const name = await triggering.on(allOf([onSignal(a, { key }), onSignal(b, { key })]));
      const keys = ['', ...Array.from({ length: 59 }, (_, i) => `key-${i}`)];
      await Promise.all(keys.map((one) => triggering.send(a, 1, one)));
      await eventually(
        'all are held',
        async () => (await triggering.explain(name, { pageSize: 1_000 })).progress.length === 60,
      );
      for (const pageSize of [0, 1, 7]) {
        const found: string[] = [];
        let pageToken = '';
        do {
          const page = await triggering.explain(name, { pageSize, pageToken });
          expect(page.progress.length).toBeLessThanOrEqual(pageSize || 50);
          expect(page.missing).toEqual([`signal ${a}`, `signal ${b}`]);
          found.push(...page.progress.map((one) => one.key));
          ({ nextPageToken: pageToken } = page);
        } while (pageToken !== '');
        expect(found).toHaveLength(60);
        expect(found[0]).toBe('');
        expect(found.toSorted()).toEqual(keys.toSorted());
      }
    });
  });
});
