/** When lanes of workflows and waits are looked at for ready jobs: one look at a time, none lost, none repeated at once after a failure. */
import { beforeEach, expect, it } from 'vitest';
import { ReadyLooks } from '../../../server/engine/explain/ready-looks.ts';

const MOST = 3;

interface Lane {
  readonly laneId: number;
  head: number | undefined;
}

let lanes: Lane[];
let looks: { readonly laneIds: readonly number[]; readonly end: (taken: number | Error) => void }[];
let failures: string[];
let ready: ReadyLooks;

beforeEach(() => {
  lanes = [
    { laneId: 1, head: 5 },
    { laneId: 2, head: undefined },
  ];
  [looks, failures] = [[], []];
  ready = new ReadyLooks({
    ready: () => lanes.filter(({ head }) => head !== undefined),
    most: MOST,
    take: (laneIds) =>
      new Promise((resolve, reject) => {
        const end = (taken: number | Error) => (typeof taken === 'number' ? resolve(taken) : reject(taken));
        looks.push({ laneIds, end });
      }),
    onFailure: (error) => failures.push((error as Error).message),
  });
});

async function ends(look: number, taken: number | Error): Promise<void> {
  looks[look]?.end(taken);
  await new Promise((resolve) => setImmediate(resolve));
}

it('looks at lanes that may have something, one look at a time, and not again where nothing is left', async () => {
  ready.look();
  ready.look();
  expect(looks.map(({ laneIds }) => laneIds)).toEqual([[1]]);
  await ends(0, MOST - 1);
  ready.look();
  expect(looks).toHaveLength(1);
});

it('goes on where it took as many as it may', async () => {
  ready.look();
  await ends(0, MOST);
  expect(looks.map(({ laneIds }) => laneIds)).toEqual([[1], [1]]);
});

it('looks once more for a hint that came meanwhile', async () => {
  ready.look();
  for (const lane of lanes) lane.head = 7;
  ready.look();
  await ends(0, 0);
  expect(looks.map(({ laneIds }) => laneIds)).toEqual([[1], [1, 2]]);
});

it('leaves lanes ready after a failure, to the next round, whatever is hinted at meanwhile', async () => {
  ready.look();
  await ends(0, new Error('away'));
  expect(failures).toEqual(['away']);
  expect(lanes[0]?.head).toBe(0);
  ready.look();
  expect(looks).toHaveLength(1);
  ready.lookAgain();
  expect(looks.map(({ laneIds }) => laneIds)).toEqual([[1], [1]]);
});

it('stops once the look that is under way is over, and looks no more', async () => {
  ready.look();
  for (const lane of lanes) lane.head = 7;
  const stopped = ready.stop();
  await ends(0, MOST);
  await stopped;
  ready.look();
  expect(looks).toHaveLength(1);
});
