/** Answers while the database does not answer in time: none comes later than a second after the deadline of its call. */
import { setTimeout as delay } from 'node:timers/promises';
import { create, type DescMethodUnary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { TcpProxy } from '../../../chaos/harness/network/tcp-proxy.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { sharedPostgres, type TestDatabases } from '../../../support/databases/postgres.ts';
import { frame, rawCall } from './raw-http2.ts';
import { offerOf, type TestWorker } from './test-worker.ts';
import { World } from './world.ts';

const DEADLINE_MS = 500;
const MAX_LATE_MS = 1_000;
/** Of each kind at once: more than there are connections to the database. */
const CALLS = 6;
const CONNECTIONS = 4;

let postgres: TestDatabases;
let proxy: TcpProxy;
let world: World;
let worker: TestWorker;
let jobId: string;
let definition: string;

beforeAll(async () => {
  [postgres, proxy] = await Promise.all([sharedPostgres(), TcpProxy.open()]);
  const url = new URL(await postgres.createDatabase());
  proxy.aim(Number(url.port));
  const postgresUrl = Object.assign(url, { port: String(proxy.port) }).href;
  world = await World.startWith({ postgresUrl, postgresConnections: CONNECTIONS });
  const held = await world.hold();
  ({ worker, jobId } = held);
  definition = await world.define();
});

afterEach(async () => {
  proxy.slow();
  proxy.resume();
  await eventually('the replica answers again', () => world.getJob(jobId));
});

afterAll(async () => {
  await world?.stop();
  await Promise.all([proxy?.close(), postgres?.stop()]);
});

type Call = readonly [path: string, bytes: Uint8Array];

function callOf<M extends DescMethodUnary>(method: M, request: MessageInitShape<M['input']>): Call {
  return [`/${method.parent.typeName}/${method.name}`, toBinary(method.input, create(method.input, request))];
}

const { getJob, listJobs, explainJob, submitJob, cancelJob, waitJob } = JobService.method;
const { openSession, sendHeartbeat, reportAttempts } = SessionService.method;

/** Each in a way of its own to the database: reads, lists, groups of writes, transactions. */
const kinds: readonly (readonly [string, () => Call])[] = [
  ['GetJob', () => callOf(getJob, { jobId })],
  ['ListJobs', () => callOf(listJobs, {})],
  ['ExplainJob', () => callOf(explainJob, { jobId })],
  ['WaitJob', () => callOf(waitJob, { jobId, timeout: { seconds: 60n } })],
  ['SubmitJob', () => callOf(submitJob, { job: { definition } })],
  ['CancelJob', () => callOf(cancelJob, { jobId: '019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b' })],
  ['CreateQueue', () => callOf(QueueService.method.createQueue, { queue: { name: 'line' } })],
  ['OpenSession', () => callOf(openSession, offerOf(definition))],
  ['SendHeartbeat', () => callOf(sendHeartbeat, { sessionId: worker.sessionId })],
  [
    'ReportAttempts',
    () =>
      callOf(reportAttempts, {
        sessionId: worker.sessionId,
        reports: [{ jobId: new Uint8Array(16).fill(7), attempt: 1, outcome: { case: 'aborted', value: {} } }],
      }),
  ],
];

interface Answer {
  readonly code: unknown;
  readonly lateMs: number;
}

/** The deadline is when a timer of this process fires: on a busy machine those of the replica, which is in it, are late, too. */
async function timed(call: Promise<{ readonly code: unknown }>): Promise<Answer> {
  const deadline = delay(DEADLINE_MS).then(() => performance.now());
  const { code } = await call;
  const end = performance.now();
  return { code, lateMs: end - (await deadline) };
}

/** The client has no deadline of its own, so that the server has to answer. */
const overGrpc = ([path, bytes]: Call) =>
  timed(rawCall(world.replica.grpcAddress, path, frame(bytes), { 'grpc-timeout': `${DEADLINE_MS}m` }));

async function fetchCode([path, body]: Call): Promise<{ code: unknown }> {
  const headers = { 'content-type': 'application/proto', 'connect-timeout-ms': String(DEADLINE_MS) };
  const answer = await fetch(world.replica.httpAddress + path, {
    method: 'POST',
    headers,
    body: Uint8Array.from(body),
  });
  return answer.ok ? { code: 'ok' } : ((await answer.json()) as { code: unknown });
}

const overHttp = (call: Call) => timed(fetchCode(call));

/** The deadline has passed, the database does not answer, or all connections to it are busy. */
const refusals: readonly unknown[] = [
  ...[Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED],
  ...['deadline_exceeded', 'unavailable', 'resource_exhausted'],
];

describe.each<[string, () => void]>([
  ['is stalled', () => proxy.stall()],
  ['is slow', () => proxy.slow({ delayMs: DEADLINE_MS })],
])('while the database %s', (_what, begin) => {
  it.each(kinds)('%s answers within its deadline and a second', async (_name, make) => {
    begin();
    const call = make();
    const isWeb = !call[0].includes('SessionService');
    const calls = Array.from({ length: CALLS }, () => [overGrpc(call), ...(isWeb ? [overHttp(call)] : [])]).flat();
    for (const { code, lateMs } of await Promise.all(calls)) {
      expect(refusals).toContain(code);
      expect(lateMs).toBeLessThan(MAX_LATE_MS);
    }
  });
});
