/**
 * One replica that runs its own nats-server, on a real PostgreSQL, under load: the bus dies, hangs, or ends with the
 * replica, and a worker is stopped past its lease. Jobs continue all the while, and the journal keeps every invariant.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { check } from './checker/check.ts';
import { Dice, seedOfRun } from './harness/dice.ts';
import type { ReplicaProcess } from './harness/replica-process.ts';
import { Run } from './harness/run.ts';
import type { WorkerProcess } from './harness/worker-process.ts';

/** After this time without its own echo a replica considers the bus down, and has had one heartbeat to act on it. */
const BUS_IS_DOWN_MS = 2_500;

const dice = new Dice(seedOfRun('embedded bus'));
let run: Run;
let replica: ReplicaProcess;
let done = false;

beforeAll(async () => {
  run = await Run.start({
    dice,
    replicas: 1,
    embeddedBus: true,
    beatMs: 600,
    leaseMs: 3_000,
    fleet: [
      { name: 'ts-one', language: 'typescript', slots: 8 },
      { name: 'ts-two', language: 'typescript', slots: 8 },
      { name: 'python', language: 'python', slots: 8 },
    ],
    load: { callers: 2, atLeast: 0, atMost: 20_000, backlog: 150, enough: () => done },
  });
  replica = run.deployment.replicas[0] as ReplicaProcess;
});

afterAll(async () => {
  expect(await run?.stop()).toEqual([]);
});

/** Pid of the current embedded nats-server. */
function busPid(): number {
  return Number(readFileSync(join(replica.folder, 'nats/nats-server.pid'), 'utf8'));
}

describe('an embedded bus', () => {
  it('is restarted when it is killed under load, and jobs continue', async () => {
    for (let kills = 0; kills < 3; kills++) {
      const before = busPid();
      process.kill(before, 'SIGKILL');
      await eventually('another nats-server runs', () => busPid() !== before);
      await run.progress(100);
    }
    expect(replica.lines.filter((line) => line.includes('nats-server runs again')).length).toBe(3);
  });

  it('can hang: assignments then arrive in the answers to heartbeats', async () => {
    const pid = busPid();
    process.kill(pid, 'SIGSTOP');
    try {
      const since = Date.now() + BUS_IS_DOWN_MS;
      await eventually(
        'jobs are given out and end without a bus',
        async () => (await run.facts.grantedSince(since)) >= 40,
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await run.progress(100);
  });

  it('ends with a replica that is killed, and comes back with it', async () => {
    const before = busPid();
    await replica.kill();
    await replica.start();
    expect(busPid()).not.toBe(before);
    await run.progress(100);
  });
});

describe('a worker that is stopped past its lease', () => {
  it('has its late result refused while the job runs elsewhere, and continues in a new session', async () => {
    const { job, worker, life, attempt } = await startedAtTypescript();
    worker.freeze();
    await eventually('the job has ended', async () => (await run.facts.outcome(job)) !== undefined);
    const outcome = await run.facts.outcome(job);
    worker.thaw();
    // It learns that its session is over, its handler returns, and it opens another one.
    const said = (event: string) => worker.records().filter((record) => record.event === event).length;
    await eventually('the worker knows that it lost its session', () => said('lost') === 1);
    await eventually('its handler has returned', () =>
      worker.records().some((record) => record.kind === 'end' && record.job === job),
    );
    await eventually('it is ready again', () => said('ready') === 2);
    const again = await run.submit({ definition: 'stubborn', input: { ms: 1 } });
    await eventually('jobs end', async () => (await run.facts.outcome(again)) !== undefined);
    expect(worker.name).toBe(life);
    expect(outcome?.state).toBe(JobState.SUCCEEDED);
    expect(outcome?.attempt).toBeGreaterThan(attempt);
    expect(await run.facts.outcome(job)).toEqual(outcome);
  });
});

it('the embedded deployment keeps every invariant', async () => {
  done = true;
  await run.heal();
  await run.proveEachReplica(5);
  expect(await run.ailments()).toEqual([]);
  await run.disband();
  const { findings } = check(await run.evidence());
  findings.add(run.careless.tally);
  console.log(findings.table());
  expect(findings.violations).toEqual([]);
  const mustHappen = ['attempt closed: LAPSED', "overlap of two attempts: the first one's process had been stopped"];
  expect(findings.missing(mustHappen)).toEqual([]);
});

function starts(job: string) {
  return run.records().filter((record) => record.kind === 'start' && record.job === job);
}

/**
 * Submits a job that ignores its signal, and waits until a TypeScript worker has started it: the others can not run it.
 */
async function startedAtTypescript(): Promise<{ job: string; worker: WorkerProcess; life: string; attempt: number }> {
  const job = await run.submit({ definition: 'stubborn', input: { ms: 1_500 } });
  const [start] = await eventually('the job has been started', () => {
    const found = starts(job);
    return found.length > 0 && found;
  });
  const worker = run.workers.find(({ name }) => name === start?.worker) as WorkerProcess;
  return { job, worker, life: worker.name, attempt: start?.attempt ?? 0 };
}
