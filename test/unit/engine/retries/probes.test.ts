/** Rounds of probes over a slow database: each ends in time, and the next one continues where it ended. */
import { expect, it } from 'vitest';
import { closedBreaker } from '../../../../server/domain/retries/circuit-breaker.ts';
import { Probes, type ProbesParts } from '../../../../server/engine/retries/probes.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const READ_MS = 1_500;
const LANES_PAGE = 100;

/** Breakers that are due, each with that many lanes, which no worker serves. A page of lanes takes `READ_MS`. */
function deployment(names: readonly string[], lanesOfEach: number) {
  const time = new VirtualTime();
  const rounds: string[][] = [];
  const breakers = names.map((name) => ({
    ...{ ...closedBreaker, state: 'OPEN', probeTimeUs: 0 },
    ...{ namespace: 'default', name, nowUs: 1, probeLaneId: undefined, probeEnd: { kind: 'none' } },
  }));
  const store = {
    alignGatedLanes: async () => {
      rounds.push([]);
      return [];
    },
    readOpenBreakers: async () => breakers,
    readLanesToProbe: async ({ name }: { name: string }, { laneId }: { laneId: number }) => {
      time.suspend(READ_MS);
      rounds.at(-1)?.push(`${name}/${laneId}`);
      const length = Math.min(LANES_PAGE, lanesOfEach - laneId);
      return Array.from({ length }, (_, i) => ({ laneId: laneId + i + 1, rank: 1 }));
    },
  };
  const probes = new Probes({
    store,
    ...{ clock: time, timers: time, random: constantRandom(0.5), log: { info() {}, warn() {}, error() {} } },
    dbClock: { trusted: (us: number) => us },
    lanes: { load: async () => {} },
    credits: { classes: () => [] },
    announcer: { committed() {} },
  } as unknown as ProbesParts);
  probes.start();
  return { rounds, time, probes };
}

it('a round of probes ends after 5 s, and the next one begins with the breaker that it has not reached', async () => {
  const { rounds, time, probes } = deployment(['a', 'b', 'c', 'd', 'e', 'f'], 0);
  await time.advance(20_000);
  await probes.stop();
  expect(rounds.slice(0, 2)).toEqual([
    ['a/0', 'b/0', 'c/0', 'd/0'],
    ['e/0', 'f/0', 'a/0', 'b/0'],
  ]);
});

it('a round of probes continues with the lanes of a breaker that an earlier one has not reached', async () => {
  const { rounds, time, probes } = deployment(['a', 'b'], 550);
  await time.advance(30_000);
  await probes.stop();
  expect(rounds.slice(0, 4)).toEqual([
    ['a/0', 'a/100', 'a/200', 'a/300'],
    ['b/0', 'b/100', 'b/200', 'b/300'],
    ['a/400', 'a/500', 'b/400', 'b/500'],
    ['a/0', 'a/100', 'a/200', 'a/300'],
  ]);
});
