/** The campaign: segments of faults one after the other, each with a seed of its own, for as long as asked. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkoutOf, commitHere } from '../../support/base/checkout.ts';
import { LinearizabilityChecker } from '../checker/linearizable.ts';
import { faultsOf } from './faults/all.ts';
import { buildFleet } from './fleet.ts';
import { planOf } from './plan.ts';
import { reportOf } from './report.ts';
import { runSegment, type SegmentResult } from './segment.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    journal: { type: 'string' },
    only: { type: 'string', multiple: true },
    rows: { type: 'string', default: '1000000' },
    'replicas-from': { type: 'string', multiple: true, default: [] },
    'workers-from': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const HELP = `Usage: npm run chaos -- [options]

Segments of faults one after the other, each with a seed of its own, against a real deployment with workers of all SDKs.
Exits with 1 if anything is wrong.

  --minutes N                how long; default: 10
  --seed N                   the seed of the first segment; default: by chance, and printed
  --only NAME                only faults with this in their names; may be repeated
  --journal FILE             keeps finished segments there, and continues after them
  --rows N                   ended jobs of a large database; default: 1000000
  --replicas-from CHECKOUT   replicas run the muster of this folder or commit; repeated: they take turns
  --workers-from CHECKOUT    workers in TypeScript and Python run those of this folder or commit

Examples:
  npm run chaos -- --minutes 60 --journal campaign.jsonl
  npm run chaos -- --seed 104 --only partition
`;
if (values.help) {
  console.log(HELP);
  process.exit();
}

const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no number of minutes`);
const rows = Number(values.rows);
if (!(rows > 0)) throw new Error(`--rows ${values.rows} is no number of rows`);
const { journal } = values;
const commit = commitHere();
const results: SegmentResult[] = journal && existsSync(journal) ? linesOf(journal) : [];
const first = Number(values.seed ?? results[0]?.seed ?? Math.floor(Math.random() * 2 ** 30));
if (!Number.isInteger(first)) throw new Error(`--seed ${values.seed} is no whole number`);
console.log(
  `campaign: seed ${first} (again: npm run chaos -- --seed ${first}), ${results.length} segments done before`,
);

const checkouts = values['replicas-from'].map(checkoutOf);
const workersFrom = values['workers-from'] === undefined ? undefined : checkoutOf(values['workers-from']);
buildFleet(console.log);
const linearizability = LinearizabilityChecker.lack() ? undefined : LinearizabilityChecker.build();
const deadline = performance.now() + minutes * 60_000;
const isOver = () => performance.now() >= deadline;
for (let seed = (results.at(-1)?.seed ?? first - 1) + 1; !isOver(); seed++) {
  // Replicas of an older commit give each session the lease of their own settings.
  const plan = checkouts.length > 0 ? { ...planOf(seed), settings: [] } : planOf(seed);
  const faults = faultsOf(plan, values.only);
  if (values.only && faults.length === 0) continue;
  const settings = plan.settings.map((options) => `; ${options.join(' ')}`).join('');
  console.log(
    `segment ${seed}: ${plan.kind}, ${plan.replicas} replicas, leases of ${plan.leaseMs / 1_000} s${settings}`,
  );
  const result = await runSegment({
    plan,
    faults,
    checkouts,
    workersFrom,
    rows,
    isOver,
    linearizability,
    log: (line) => console.log(`  ${line}`),
  });
  for (const lack of result.notRun) console.log(`  not run: ${lack}`);
  for (const violation of result.violations) console.log(`  VIOLATION ${violation}`);
  results.push(result);
  if (journal) appendFileSync(journal, `${JSON.stringify({ ...result, commit })}\n`);
}
console.log(reportOf(results));
process.exitCode = results.some(({ violations }) => violations.length > 0) ? 1 : 0;

function linesOf(file: string): SegmentResult[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}
