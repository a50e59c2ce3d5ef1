/**
 * When lanes of workflows and waits are polled for ready jobs: one poll at a time, none lost, and none repeated at once
 * after a failure.
 */
import { beforeEach, expect, it } from 'vitest';
import { ReadyPolls } from '../../../../server/engine/explain/ready-polls.ts';

const MAX = 3;

interface Lane {
  readonly laneId: number;
  head: number | undefined;
}

let lanes: Lane[];
let polls: { readonly laneIds: readonly number[]; readonly end: (taken: number | Error) => void }[];
let failures: string[];
let ready: ReadyPolls;

beforeEach(() => {
  lanes = [
    { laneId: 1, head: 5 },
    { laneId: 2, head: undefined },
  ];
  [polls, failures] = [[], []];
  ready = new ReadyPolls({
    ready: () => lanes.filter(({ head }) => head !== undefined),
    most: MAX,
    take: (laneIds) =>
      new Promise((resolve, reject) => {
        const end = (taken: number | Error) => (typeof taken === 'number' ? resolve(taken) : reject(taken));
        polls.push({ laneIds, end });
      }),
    onFailure: (error) => failures.push((error as Error).message),
  });
});

async function ends(poll: number, taken: number | Error): Promise<void> {
  polls[poll]?.end(taken);
  await new Promise((resolve) => setImmediate(resolve));
}

it('a poll visits lanes that may have ready jobs, one at a time, and does not repeat when nothing is left', async () => {
  ready.poll();
  ready.poll();
  expect(polls.map(({ laneIds }) => laneIds)).toEqual([[1]]);
  await ends(0, MAX - 1);
  ready.poll();
  expect(polls).toHaveLength(1);
});

it('a poll continues when it took as many jobs as it may', async () => {
  ready.poll();
  await ends(0, MAX);
  expect(polls.map(({ laneIds }) => laneIds)).toEqual([[1], [1]]);
});

it('a poll runs once more for a hint that came during it', async () => {
  ready.poll();
  for (const lane of lanes) lane.head = 7;
  ready.poll();
  await ends(0, 0);
  expect(polls.map(({ laneIds }) => laneIds)).toEqual([[1], [1, 2]]);
});

it('a failed poll leaves its lanes ready for the next round, whatever hints come', async () => {
  ready.poll();
  await ends(0, new Error('away'));
  expect(failures).toEqual(['away']);
  expect(lanes[0]?.head).toBe(0);
  ready.poll();
  expect(polls).toHaveLength(1);
  ready.pollAgain();
  expect(polls.map(({ laneIds }) => laneIds)).toEqual([[1], [1]]);
});

it('a stop waits for the running poll, and no other begins', async () => {
  ready.poll();
  for (const lane of lanes) lane.head = 7;
  const stopped = ready.stop();
  await ends(0, MAX);
  await stopped;
  ready.poll();
  expect(polls).toHaveLength(1);
});
