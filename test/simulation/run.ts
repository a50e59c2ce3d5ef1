/**
 * Runs the simulation outside the test runner, which is faster and can plant a bug:
 *
 *   node test/simulation/run.ts [--seeds n] [--first n] [--seed n] [--mutant name] [--stop]
 *
 * Exits with 1 when a seed fails.
 */
import { parseArgs } from 'node:util';
import { plant } from './mutants/plant.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    stop: { type: 'boolean', default: false },
  },
});

const planted = values.mutant === undefined ? undefined : plant(values.mutant);
// Imported only now, so that what was planted is in what is loaded.
const { range, replaySeed, runSeeds } = await import('./scenario/run-seeds.ts');
const { countsOf, failureOf, summaryOf } = await import('./scenario/summary.ts');
planted?.verify();

if (values.seed !== undefined) {
  const result = await replaySeed(Number(values.seed));
  console.log(result.trace.join('\n'));
  console.log(result.violations.length === 0 ? `seed ${result.seed} is clean (${result.hash})` : failureOf(result));
  process.exitCode = Math.min(1, result.violations.length);
} else {
  const result = await runSeeds({
    seeds: range(Number(values.first), Number(values.seeds)),
    stopAtFirst: values.stop,
    onSeed: (seed) => seed.violations.length > 0 && console.log(failureOf(seed)),
  });
  console.log(countsOf(result.counts));
  console.log(summaryOf(result));
  process.exitCode = Math.min(1, result.failures.length);
}
