/**
 * Runs the simulation outside the test runner, which is faster and can plant a bug:
 *
 *   node test/simulation/run.ts [--seeds n] [--first n] [--seed n] [--mutant name] [--stop]
 *
 * Exits with 1 when a seed fails.
 */
import { parseArgs } from 'node:util';
import { openSimPostgres } from './database/open-sim-postgres.ts';
import { importPlanted } from './mutants/plant.ts';
import type { SeedResult } from './scenario/run-seed.ts';
import type { SeedsResult } from './scenario/run-seeds.ts';
import { countsOf, failureOf, summaryOf } from './scenario/summary.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    stop: { type: 'boolean', default: false },
  },
});

const path = './scenario/run-seeds.ts';
const { mutant } = values;
const { range, runSeeds }: typeof import('./scenario/run-seeds.ts') =
  mutant === undefined ? await import(path) : await importPlanted(mutant, `test/simulation/${path}`);
const postgres = await openSimPostgres();

if (values.seed !== undefined) await replay(Number(values.seed));
else await runAll();
await postgres.close();

async function replay(seed: number): Promise<void> {
  const onSeed = (result: SeedResult) => {
    console.log(result.trace.join('\n'));
    console.log(result.violations.length === 0 ? `seed ${seed} is clean (${result.hash})` : failureOf(result));
  };
  exitWith(await runSeeds({ postgres, seeds: [seed], keepsTrace: true, onSeed }));
}

async function runAll(): Promise<void> {
  const result = await runSeeds({
    postgres,
    seeds: range(Number(values.first), Number(values.seeds)),
    stopAtFirst: values.stop,
    onSeed: (seed) => seed.violations.length > 0 && console.log(failureOf(seed)),
  });
  console.log(countsOf(result.counts));
  console.log(summaryOf(result));
  exitWith(result);
}

function exitWith({ failures }: SeedsResult): void {
  process.exitCode = Math.min(1, failures.length);
}
