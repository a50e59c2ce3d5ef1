/** The item list of a fan-out is computed once while its items start. Only a few lists are kept. */
import { expect, it } from 'vitest';
import { FanOutLists } from '../../../../server/engine/workflows/steps/fan-out-lists.ts';

const key = (step: number) => ({ jobId: 'w', step });

function counted() {
  const lists = new FanOutLists();
  let made = 0;
  const of = (step: number) => lists.of(key(step), async () => [String(step), String(++made)]);
  return { lists, of };
}

it('the cache computes a list once, until no item of it is left to start', async () => {
  const { lists, of } = counted();
  expect(await of(1)).toEqual(['1', '1']);
  expect(await of(1)).toEqual(['1', '1']);
  expect(await of(2)).toEqual(['2', '2']);
  lists.forget(key(1));
  expect(await of(1)).toEqual(['1', '3']);
  expect(await of(2)).toEqual(['2', '2']);
});

it('the cache keeps the lists of the eight most recently used steps', async () => {
  const { of } = counted();
  for (let step = 0; step < 8; step++) await of(step);
  await of(0);
  await of(8);
  expect(await of(0)).toEqual(['0', '1']);
  expect(await of(2)).toEqual(['2', '3']);
  expect(await of(1)).toEqual(['1', '10']);
});

it('the cache drops the lists of a workflow that has ended', async () => {
  const { lists, of } = counted();
  await of(1);
  await lists.of({ jobId: 'w2', step: 1 }, async () => ['other']);
  lists.forgetAll('w');
  expect(await of(1)).toEqual(['1', '2']);
  expect(await lists.of({ jobId: 'w2', step: 1 }, async () => ['made again'])).toEqual(['other']);
});

it('the cache keeps no list that could not be computed', async () => {
  const { lists, of } = counted();
  await expect(lists.of(key(1), () => Promise.reject(new Error('no list')))).rejects.toThrow('no list');
  expect(await of(1)).toEqual(['1', '1']);
});
