/** The benchmark: throughput of a job's whole life and idle latency on both stores. `--help` lists other measures. */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from '../../sdk/typescript/src/index.ts';
import { startPostgres } from '../support/databases/postgres.ts';
import { against } from './against.ts';
import { backlog } from './backlog.ts';
import { batchAgainstPlain } from './batches.ts';
import { cancelLatency, languages } from './cancel.ts';
import { claimCosts } from './claims.ts';
import { startDeployment, startWorker } from './deployment.ts';
import { limitsAgainstPlain } from './limits.ts';
import { idleLatency, throughput } from './measures.ts';
import { sdksSideBySide } from './sdks.ts';
import { singleAgainstMany } from './single.ts';
import { workflowSteps } from './workflows.ts';

const help = `Throughput of a job's whole life and idle latency, on both stores.

  npm run bench                       both stores, some two minutes
  npm run bench -- --store postgres   one of them: postgres or embedded
  npm run bench -- --quick            fewer jobs
  npm run bench -- --idle             also the latency of a worker that has idled for a minute
  npm run bench -- --backlog          also with 1,000,000 ready jobs, and under a 60 s old snapshot
  npm run bench -- --cancel           instead of all that: from CancelJob to the running handler, with both SDKs
  npm run bench -- --limits           instead of all that: jobs with limits, fairness and priorities beside plain ones, in turns
  npm run bench -- --claims           instead of all that: what a claim under limits costs by waiting jobs and keys, and how soon
                                      a single job starts beside a million
  npm run bench -- --workflows        instead of all that: chains, fan-outs and a random graph of steps
  npm run bench -- --batches          instead of all that: members of a batch beside jobs that are none, in turns
  npm run bench -- --sdks             instead of all that: one worker of each SDK that the machine has the language of
  npm run bench -- --against FOLDER   instead of all that: beside another checkout, in turns, and the ratios
  npm run bench -- --against FOLDER --rounds 48
                                      so many turns of each side, in place of 16
  npm run bench -- --json FILE        the results as JSON too
  npm run bench -- --profile FOLDER   a CPU profile of the control plane
`;

const { values: options } = parseArgs({
  options: {
    store: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    idle: { type: 'boolean', default: false },
    backlog: { type: 'boolean', default: false },
    cancel: { type: 'boolean', default: false },
    limits: { type: 'boolean', default: false },
    claims: { type: 'boolean', default: false },
    workflows: { type: 'boolean', default: false },
    batches: { type: 'boolean', default: false },
    sdks: { type: 'boolean', default: false },
    against: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(help);
  process.exit();
}

const jobs = options.quick ? 30_000 : 200_000;
const results: Record<string, Record<string, unknown>> = {};

function note(store: string, name: string, value: unknown): void {
  results[store] = { ...results[store], [name]: value };
  console.log(`${store.padEnd(10)} ${name.padEnd(50)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
}

async function measure(store: string, postgresUrl: string | undefined): Promise<void> {
  const share = postgresUrl ? 1 : 0.5;
  const deployment = await startDeployment(
    postgresUrl,
    options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [],
  );
  const client = new Client({ address: deployment.address });
  await client.applyDefinition({ name: 'nothing' });
  await client.applyDefinition({ name: 'clock' });
  const worker = await startWorker(deployment.address, 1_000);
  try {
    await throughput(client, worker, 10_000, 100, 8);
    note(store, 'whole life, batches of 100, jobs/s', await throughput(client, worker, jobs * share, 100, 8));
    note(store, 'whole life, batches of 500, jobs/s', await throughput(client, worker, jobs * share, 500, 4));
    note(store, 'whole life, unary submission, jobs/s', await throughput(client, worker, jobs * share * 0.2, 1, 128));
    const pause = () => 5 + 20 * Math.random();
    await idleLatency(client, 50, pause);
    const samples = options.quick ? 200 : 1_000;
    note(store, 'submit to handler start, pauses of 5 to 25 ms, ms', await idleLatency(client, samples, pause));
    note(store, 'the same, one job after the other, ms', await idleLatency(client, samples, () => 0));
    if (options.idle) {
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      note(store, 'the same, first after a minute idle, ms', await idleLatency(client, 1, () => 0));
      const once = [];
      for (let i = 0; i < 5; i++) once.push((await idleLatency(client, 1, () => 12_000)).max);
      note(store, 'the same, first after 12 s idle, ms', once);
    }
    note(store, 'memory of the control plane, MB', deployment.memory());
    await worker.stop();
    if (options.backlog) await backlog({ store, client, deployment, postgresUrl, note });
  } finally {
    await worker.stop();
    client.close();
    await deployment.stop();
  }
}

async function measureCancels(store: string, postgresUrl: string | undefined): Promise<void> {
  const deployment = await startDeployment(postgresUrl);
  const client = new Client({ address: deployment.address });
  try {
    for (const language of languages) {
      await cancelLatency(client, deployment.address, language, 20);
      const latency = await cancelLatency(client, deployment.address, language, options.quick ? 100 : 500);
      note(store, `CancelJob to running ${language} handler, ms`, latency);
    }
  } finally {
    client.close();
    await deployment.stop();
  }
}

/** `createDatabase` creates one on PostgreSQL; undefined: embedded. */
async function run(store: string, createDatabase?: () => Promise<string>): Promise<void> {
  const { against: checkout, quick } = options;
  if (checkout) {
    const rounds = Number(options.rounds ?? (quick ? 4 : 16));
    return against({ checkout, rounds, createDatabase, note: (name, value) => note(store, name, value) });
  }
  if (options.limits) {
    const rounds = quick ? 4 : 16;
    return limitsAgainstPlain({ rounds, createDatabase, note: (name, value) => note(store, name, value) });
  }
  if (options.workflows)
    return workflowSteps({ quick, createDatabase, note: (name, value) => note(store, name, value) });
  if (options.batches)
    return batchAgainstPlain({ quick, createDatabase, note: (name, value) => note(store, name, value) });
  if (options.sdks) return sdksSideBySide({ quick, createDatabase, note: (name, value) => note(store, name, value) });
  if (options.claims) {
    const parts = { createDatabase, note: (name: string, value: unknown) => note(store, name, value) };
    await claimCosts(parts);
    return singleAgainstMany(parts);
  }
  await (options.cancel ? measureCancels : measure)(store, await createDatabase?.());
}

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
if (options.store !== 'embedded') {
  const server = await startPostgres();
  try {
    await run('PostgreSQL', () => server.createDatabase());
  } finally {
    await server.stop();
  }
}
if (options.store !== 'postgres') await run('embedded');
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
