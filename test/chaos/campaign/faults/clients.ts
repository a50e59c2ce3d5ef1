/** Clients that ask for too much: sessions, bytes, streams that they don't read, connections. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { OpenSessionRequestSchema } from '../../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { openChannel } from '../../../../sdk/typescript/src/transport/grpc-channel.ts';
import { sessionApi } from '../../../../sdk/typescript/src/worker/thread/session-api.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { openRepeatedly } from '../../harness/careless-worker.ts';
import { isLeaseLost } from '../../harness/outcomes.ts';
import type { Run } from '../../harness/run.ts';
import { type Fault, require, seconds } from './fault.ts';

const SESSIONS = 1_000;
/** Each replica takes fifty a second. */
const OPEN_EACH_MS = 1_000;
const LAPSE_MS = 120_000;
const CALLERS = 4;
const CALLS = 3;
const JOBS_PER_CALL = 6;
/** Six of them are almost 3 MiB. */
const INPUT_BYTES = 510_000;
const RESETS_MS = 5_000;
const RESET_EACH_MS = 20;
const MIN_RESETS = 100;
const SURGE = 10;
const SURGE_MS = 120_000;
const DRAIN_MS = 180_000;

const sessionsOpened: Fault = {
  name: '1,000 sessions opened at once and abandoned',
  async inflict({ run }) {
    const channel = openChannel(run.deployment.address);
    const api = sessionApi(channel);
    const crowd = `crowd-${randomUUID()}`;
    const start = performance.now();
    const open = () =>
      openRepeatedly(
        api,
        create(OpenSessionRequestSchema, {
          workerName: crowd,
          protocolVersion: 1,
          handlers: [{ name: 'crowd' }],
          slots: 1,
          requestId: randomUUID(),
        }),
        OPEN_EACH_MS,
      ).catch((error: unknown) => {
        // The lost answer to an earlier try said that it was opened, and it has lapsed since.
        if (!isLeaseLost(error)) throw error;
      });
    try {
      await Promise.all(Array.from({ length: SESSIONS }, open));
    } finally {
      channel.close();
    }
    const took = performance.now() - start;
    const counts = () =>
      run.facts.query<{ all: number; open: number }>(
        `SELECT count(*)::int AS all, (count(*) FILTER (WHERE state <> 3))::int AS open
         FROM muster.sessions WHERE worker_name = $1`,
        [crowd],
      );
    const areOver = async () => (await counts())[0]?.open === 0;
    const over = eventually('the abandoned sessions are closed', areOver, { timeoutMs: LAPSE_MS, everyMs: 100 });
    await Promise.all([over, run.progress(10)]);
    const all = (await counts())[0]?.all;
    const closed = seconds(performance.now() - start - took);
    return require(all === SESSIONS, `${all} sessions within ${seconds(took)}, all closed ${closed} later`);
  },
};

const largeCalls: Fault = {
  name: 'calls of 3 MiB, the largest that are taken',
  async inflict({ run }) {
    const jobs = await submitLarge(run);
    const megabytes = Math.round((jobs * INPUT_BYTES) / 2 ** 20);
    return require(jobs === CALLERS * CALLS * JOBS_PER_CALL, `${jobs} jobs, ${megabytes} MiB`);
  },
};

/** Four clients make large calls at once, several each. Resolves with the number of jobs. */
export async function submitLarge(run: Run, address?: string): Promise<number> {
  const text = 'x'.repeat(INPUT_BYTES);
  const requests = Array.from({ length: JOBS_PER_CALL }, () => ({ definition: 'quick', input: { text } }));
  const call = async () => {
    const client = run.load.client(address);
    let jobs = 0;
    try {
      for (let n = 0; n < CALLS; n++) jobs += (await run.load.submitMany(client, requests)).length;
    } finally {
      client.close();
    }
    return jobs;
  };
  return (await Promise.all(Array.from({ length: CALLERS }, call))).reduce((sum, n) => sum + n, 0);
}

const connectionsReset: Fault = {
  name: 'connections to the replicas reset 50 times a second',
  async inflict({ run, dice }) {
    const end = performance.now() + RESETS_MS;
    let broken = 0;
    while (performance.now() < end) {
      broken += dice.pick(run.deployment.replicas).proxy.cut();
      await delay(RESET_EACH_MS);
    }
    return require(broken >= MIN_RESETS, `${broken} connections broken`);
  },
};

const loadTenfold: Fault = {
  name: 'ten times the load for a lease',
  async inflict({ run }) {
    const { load, facts, deployment } = run;
    const usual = load.backlog;
    const hasOpen = (jobs: number) => async () => (await facts.openJobs()) >= jobs;
    const start = performance.now();
    await load.surge(SURGE, async () => {
      const options = { timeoutMs: SURGE_MS, everyMs: 100 };
      await eventually('ten times the usual jobs are open', hasOpen(SURGE * usual), options);
      await delay(deployment.leaseMs);
    });
    const peak = performance.now();
    const isUsual = async () => (await facts.openJobs()) <= usual;
    await eventually('the usual number of jobs is open', isUsual, { timeoutMs: DRAIN_MS, everyMs: 100 });
    const took = seconds(performance.now() - peak);
    return `${SURGE * usual} open jobs at once, ${seconds(peak - start)} in all; as before ${took} later`;
  },
};

export const clientFaults: readonly Fault[] = [sessionsOpened, largeCalls, connectionsReset, loadTenfold];
