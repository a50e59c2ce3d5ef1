/** The demo: one command starts Muster and two workers, runs a real job on real data, and shows the result. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { shown } from './command.ts';
import { conduct } from './conduct.ts';
import { Deployment } from './deployment.ts';
import { mostTried, readJobs, readRetried } from './ended-jobs.ts';
import type { Report } from './jobs.ts';
import { Kills } from './kills.ts';
import { indented, say } from './print.ts';
import { Progress } from './progress.ts';
import { applyDefinitions, executeWork, PARTS } from './run.ts';
import { flightWorkers } from './workers.ts';

const HELP = `
What happens:
  1. An embedded control plane starts as a separate process, on free ports and with a temporary data folder.
  2. A Python worker (delay_stats.py) and a TypeScript worker (report-worker.ts) start and open their sessions.
  3. "muster apply" applies the workflow of flights.yaml, and one job of it is submitted. Its steps load 200,000
     flights in parts, count in Python how late they were, add up the counts, make a table and a chart, and clean up.
  4. "muster graph" shows the states of the steps, and "muster trace" the history of one of the jobs.
  5. Everything is stopped and the temporary folder removed; the table and the chart stay.

Examples:
  npm run demo
  npm run demo -- --kill
  npm run demo -- --no-chart
  npm run demo -- --out /tmp/flights

The code is in workers/demo; docs/demo.md explains it.`;

interface Options {
  readonly kill: boolean;
  readonly chart: boolean;
  readonly out: string;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

async function start(deployment: Deployment): Promise<void> {
  say('  starting an embedded control plane and two workers …');
  await deployment.startControlPlane();
  say(`  control plane  ${deployment.address}, data in ${deployment.dataFolder} until the end`);
  const sessions = await Promise.all([deployment.startWorker('delay-stats'), deployment.startWorker('delay-report')]);
  for (const { name, sdk, slots } of sessions) say(`  ${name.padEnd(13)}  ${sdk?.language}, ${slots} slots`);
  say();
}

async function run(deployment: Deployment, options: Options): Promise<void> {
  say('When are flights late? 200,000 flights, one workflow.\n');
  await start(deployment);
  say(indented(await applyDefinitions(deployment)));
  const progress = new Progress(PARTS);
  deployment.signal.addEventListener('abort', () => progress.stop());
  const kills = options.kill ? new Kills(deployment, progress) : undefined;
  const startTime = performance.now();
  const [{ jobId, report }] = await Promise.all([executeWork(deployment, options.chart, progress), kills?.execute()]);
  const seconds = (performance.now() - startTime) / 1_000;
  progress.stop();
  const { client, signal } = deployment;
  const jobs = await readJobs(client, signal);
  kills?.ended(jobs, await readRetried(client, jobs, signal));
  show(report, kills);
  const pace = `${count(jobs.length / seconds)} jobs/s, ${count(report.flights / seconds)} flights/s`;
  say(`${count(jobs.length)} jobs in ${seconds.toFixed(1)} s: ${pace}`);
  say(`\n${await shown(deployment, 'graph', jobId)}`);
  say(await shown(deployment, 'trace', mostTried(jobs)));
}

function show({ table, files: [tableFile, chartFile] }: Report, kills: Kills | undefined): void {
  say();
  say(table);
  if (kills) say(['What the kills did', ...kills.account(), ''].join('\n'));
  say(`table  ${tableFile}  (SHA-256 ${createHash('sha256').update(table).digest('hex').slice(0, 16)}…)`);
  if (chartFile) say(`chart  ${chartFile}`);
}

function main(options: Options): Promise<void> {
  const deployment = new Deployment(flightWorkers(resolve(options.out)));
  return conduct(deployment, () => run(deployment, options));
}

await new Command('demo')
  .usage('[--kill] [--no-chart] [--out <folder>]')
  .description('Runs a workflow on real data through a Python and a TypeScript worker, to a table and a chart.')
  .option(
    '--kill',
    'kill the Python worker and the control plane with SIGKILL half-way; the table stays the same',
    false,
  )
  .option('--no-chart', 'leave the chart out: the step has a condition, and is skipped')
  .option('--out <folder>', 'where the table and the chart go', '.muster/demo')
  .addHelpText('after', HELP)
  .showHelpAfterError('Try: npm run demo -- --help')
  .action(main)
  .parseAsync();
