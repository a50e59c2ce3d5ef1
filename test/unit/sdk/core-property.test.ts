/** Random sequences of messages, answers, failures and time, checked for invariants. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from './support/rough-server.ts';
import { RoughServer } from './support/rough-server.ts';

const KINDS: [number, Step['kind']][] = [
  [10, 'assign'],
  [1, 'assignDead'],
  [4, 'duplicate'],
  [2, 'cancel'],
  [1, 'cancelUnseen'],
  [6, 'enter'],
  [6, 'end'],
  [2, 'extend'],
  [5, 'log'],
  [5, 'answerBeat'],
  [2, 'failBeat'],
  [3, 'loseLease'],
  [6, 'acknowledge'],
  [3, 'failReport'],
  [6, 'wait'],
  [1, 'break'],
  [1, 'connect'],
  [2, 'ping'],
];

const step = fc.record({
  kind: fc.oneof(...KINDS.map(([weight, kind]) => ({ weight, arbitrary: fc.constant(kind) }))),
  pick: fc.nat({ max: 999 }),
});

test('a session core never starts an attempt twice or reports two outcomes, respects slots, and always comes to an end', async () => {
  const totals = {
    accepted: 0,
    duplicates: 0,
    ignored: 0,
    released: 0,
    aborted: 0,
    fences: 0,
    sessionsLost: 0,
    cancels: 0,
    timeouts: 0,
  };
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 4 }),
    fc.array(step, { minLength: 30, maxLength: 150 }),
    async (slots, steps) => {
      const server = new RoughServer(slots);
      await server.run(steps);
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += server.world.core.stats[name];
    },
  );
  const seed = Number(process.env.MUSTER_SEED ?? Date.now() % 2 ** 31);
  console.log(`core-property: seed ${seed} (MUSTER_SEED=${seed} repeats it)`);
  await fc.assert(property, { seed, numRuns: Number(process.env.MUSTER_RUNS ?? 250) });
  // A sequence in which nothing bad happened proves nothing.
  for (const [name, count] of Object.entries(totals)) expect.soft(count, name).toBeGreaterThan(0);
});
