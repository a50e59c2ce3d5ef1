/** The jobs of the load. */
import type { JobRequest } from '@muster-jobs/sdk';
import type { Dice } from '../harness/dice.ts';

/** The shortest run timeout of any job. */
export const SHORT_RUN_TIMEOUT_MS = 300;
const SCRIPTS = 0.08;

/** Names and inputs of the jobs, each with its weight. */
const mix: readonly [weight: number, make: (dice: Dice) => JobRequest][] = [
  [68, (dice) => ({ definition: 'quick', input: { n: dice.int(0, 1e6) } })],
  [11, (dice) => ({ definition: 'slow', input: { ms: dice.int(50, 1_500) } })],
  // Longer than a lease, so that some of them run whenever a lease is lost.
  [1, (dice) => ({ definition: 'slow', input: { ms: dice.int(3_000, 5_000) } })],
  [10, (dice) => ({ definition: 'flaky', input: { failures: dice.int(1, 3) } })],
  // Longer than its timeout, so that the worker or the control plane ends each attempt.
  [2, (dice) => ({ definition: 'slow', input: { ms: dice.int(2_000, 4_000) }, runTimeoutMs: SHORT_RUN_TIMEOUT_MS })],
  [2, (dice) => ({ definition: 'stubborn', input: { ms: dice.int(200, 1_500) } })],
  [6, (dice) => ({ definition: 'quick', delayMs: dice.int(10, 1_500) })],
];

type Step = Readonly<Record<string, unknown>>;

/** For conformance workers. Their results name the attempt. */
const scripts: readonly ((dice: Dice) => readonly Step[])[] = [
  () => [],
  (dice) => [{ do: 'sleep', ms: dice.int(50, 1_500) }],
  // Longer than a lease.
  (dice) => [{ do: 'sleep', ms: dice.int(3_000, 5_000) }],
  (dice) => [{ do: 'deaf_sleep', ms: dice.int(200, 1_500) }],
  () => [
    { do: 'progress', fraction: 0.5 },
    { do: 'checkpoint', value: 7 },
    { do: 'log', message: 'half' },
  ],
  () => [
    { do: 'checkpoint', value: 7 },
    { do: 'raise', message: 'not yet' },
  ],
];

export function makeJob(dice: Dice, hasScripts: boolean): JobRequest {
  if (hasScripts && dice.chance(SCRIPTS))
    return { definition: 'script', input: { steps: [...dice.pick(scripts)(dice), { do: 'return_context' }] } };
  let left = dice.int(1, 100);
  for (const [weight, make] of mix) {
    left -= weight;
    if (left <= 0) return make(dice);
  }
  return { definition: 'quick' };
}
