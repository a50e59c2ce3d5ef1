/** The benchmark against other job systems. See `--help`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commitHere } from '../../support/base/checkout.ts';
import { peers as allPeers } from './catalog.ts';
import { FULL, QUICK } from './measure.ts';
import { measures as allMeasures } from './measures/all.ts';
import { chart } from './report/chart.ts';
import { table } from './report/table.ts';
import { machine, type Results, writeResult } from './results.ts';
import { startServices } from './services.ts';
import { take } from './take.ts';

const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).join(', ');

const help = `Muster beside other job systems, on this machine and the same PostgreSQL. docs/benchmarks.md has the method.

  npm run bench:peers                          every peer and every measure, some twenty minutes
  npm run bench:peers -- --quick               smaller, some four minutes: to see that it works
  npm run bench:peers -- --only NAME,NAME      peers: ${names(allPeers)}
  npm run bench:peers -- --measure NAME,NAME   measures: ${names(allMeasures)}
  npm run bench:peers -- --json FILE           the results as JSON; measures that FILE has of an earlier run are kept
  npm run bench:peers -- --chart FILE          with --json: all that FILE has as a bar chart in SVG
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    measure: { type: 'string' },
    json: { type: 'string' },
    chart: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(help);
  process.exit();
}

/** @throws Error for an unknown name. */
function select<T extends { readonly name: string }>(all: readonly T[], wanted: string | undefined, what: string): T[] {
  if (wanted === undefined) return [...all];
  const list = wanted.split(',').map((name) => name.trim().toLowerCase());
  const unknown = list.find((name) => !all.some((one) => one.name.toLowerCase() === name));
  if (unknown !== undefined) throw new Error(`there is no ${what} "${unknown}": there are ${names(all)}`);
  return all.filter((one) => list.includes(one.name.toLowerCase()));
}

const peers = select(allPeers, options.only, 'peer');
const measures = select(allMeasures, options.measure, 'measure');
if (options.chart && !options.json) throw new Error('--chart draws what is in the file of --json: give that too');
const scale = options.quick ? QUICK : FULL;
const started = performance.now();
const progress = (text: string) =>
  console.error(`${String(Math.round((performance.now() - started) / 1000)).padStart(5)} s  ${text}`);

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code)); // the exit ends everything that was started

const services = await startServices();
const { json } = options;
try {
  console.log(`${machine()}, commit ${commitHere()}\n`);
  for (const measure of measures) {
    const taken = await take(measure, peers, services, scale, progress);
    const { title, columns } = measure;
    const result = { title, columns, peers: taken, time: new Date().toISOString(), commit: commitHere() };
    console.log(table(result));
    if (json) writeResult(json, measure.name, result, await services.versions());
  }
  console.log(`In brackets: how many times better Muster is. ${(await services.versions()).join(', ')}`);
} finally {
  await services.stop();
}
if (json && options.chart) writeFileSync(options.chart, chart(JSON.parse(readFileSync(json, 'utf8')) as Results));
