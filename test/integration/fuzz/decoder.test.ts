/**
 * Requests of every RPC, damaged at random, on both ports and in every encoding: each is answered, none with an
 * internal error, and refused ones change nothing.
 */
import { request as httpRequest } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { type DescMethod, fromJson, toBinary } from '@bufbuild/protobuf';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import type { Database, Statement } from '../../../server/store/driver/database.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { eventually } from '../../support/base/eventually.ts';
import { sharedPostgres, type TestDatabases } from '../../support/databases/postgres.ts';
import { type Actual, allMethods, exampleOf, pathOf, withActual } from '../../support/docs/contract.ts';
import { makeJobs, openIdleWorker } from '../../support/docs/example-world.ts';
import { frame } from '../api/base/raw-http2.ts';
import { Refusal } from '../api/base/rpc.ts';
import { digestOf } from '../api/base/store-digest.ts';
import { World } from '../api/base/world.ts';
import { bytesOf, damaged, diceOf, tries } from './chance.ts';
import { Vitals } from './vitals.ts';

const PER_METHOD = tries(20);
const BATCH = 20;
const dice = diceOf('decoder');

let postgres: TestDatabases;
let database: Database;
let world: World;
let actual: Actual;
let vitals: Vitals;

beforeAll(async () => {
  postgres = await sharedPostgres();
  const url = await postgres.createDatabase();
  world = await World.startWith({ beatMs: 1_000_000, leaseMs: 3_600_000, postgresUrl: url });
  database = openPostgres({ url, poolSize: 1 });
  actual = { sessionId: await openIdleWorker(world), ...(await makeJobs(world)) };
  vitals = new Vitals(world);
});

afterAll(async () => {
  await database?.close();
  await world?.stop();
  await postgres?.stop();
});

function goodJson(method: DescMethod): string {
  return withActual(JSON.stringify(exampleOf(method)), actual);
}

function goodBinary(method: DescMethod): Uint8Array {
  return toBinary(method.input, fromJson(method.input, JSON.parse(goodJson(method))));
}

/** The outcome of a call: whether it was accepted, and a line if the server is at fault. */
interface Outcome {
  readonly taken: boolean;
  readonly fault?: string;
}

/**
 * A call that timed out may have made its change. A taken idempotency key is found in the transaction that stores the
 * job, after its queue was created.
 */
const mayHaveChanged: readonly number[] = [Code.DEADLINE_EXCEEDED, Code.ALREADY_EXISTS];

async function overGrpc(method: DescMethod, bytes: Uint8Array): Promise<Outcome> {
  // Some wait requests ask for minutes.
  const answer = await world.rpc.send(method as never, bytes, { timeoutMs: 10_000 }).catch((error: unknown) => error);
  if (!(answer instanceof Refusal)) return { taken: true };
  const { code, reason, message } = answer;
  const taken = mayHaveChanged.includes(code);
  return code === 2 || reason === 'INTERNAL' ? { taken, fault: `${code} ${message}` } : { taken };
}

function overHttp(method: DescMethod, bytes: Uint8Array, contentType: string): Promise<Outcome> {
  const { hostname, port } = new URL(world.replica.httpAddress);
  const timeout = contentType.includes('grpc') ? { 'grpc-timeout': '10S' } : { 'connect-timeout-ms': '10000' };
  const headers = { 'content-type': contentType, ...timeout };
  const path = `/${pathOf(method)}`;
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      { host: hostname, port, path, method: 'POST', headers, agent: false },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString('latin1');
        const isOurs = /"reason":"INTERNAL"|"code":"unknown"|grpc-status: 2\b/.test(text);
        const taken = [200, 409, 504].includes(response.statusCode ?? 0);
        resolve(isOurs ? { taken, fault: text } : { taken });
      },
    );
    call.on('error', reject);
    call.end(bytes);
  });
}

type Send = (method: DescMethod, bytes: Uint8Array) => Promise<Outcome>;

interface Way {
  readonly name: string;
  readonly good: (method: DescMethod) => Uint8Array;
  readonly send: Send;
  readonly serves: (method: DescMethod) => boolean;
}

const onWeb = ({ parent }: DescMethod) => parent !== SessionService;
const isUnary = ({ methodKind }: DescMethod) => methodKind === 'unary';

function webWay(contentType: string, good: Way['good'], serves: Way['serves']): Way {
  return {
    name: contentType,
    good,
    send: (method, bytes) => overHttp(method, bytes, contentType),
    serves: (method) => onWeb(method) && serves(method),
  };
}

const json = (method: DescMethod) => Buffer.from(goodJson(method));
const ways: readonly Way[] = [
  { name: 'gRPC', good: goodBinary, send: overGrpc, serves: () => true },
  webWay('application/json', json, isUnary),
  webWay('application/proto', goodBinary, isUnary),
  webWay(
    'application/connect+json',
    (method) => frame(json(method)),
    (method) => !isUnary(method),
  ),
  webWay(
    'application/connect+proto',
    (method) => frame(goodBinary(method)),
    (method) => !isUnary(method),
  ),
  webWay(
    'application/grpc-web+proto',
    (method) => frame(goodBinary(method)),
    () => true,
  ),
  webWay(
    'application/grpc-web+json',
    (method) => frame(json(method)),
    () => true,
  ),
];

/** What would change by itself within the hour: accepted requests may ask for any time. */
const postponements = [
  'UPDATE schedules SET scan_time = NULL WHERE scan_time IS NOT NULL',
  "UPDATE job_runs SET due_time = due_time + interval '1 day' WHERE due_time < now() + interval '1 hour'",
  "UPDATE job_runs SET deadline = deadline + interval '1 day' WHERE deadline < now() + interval '1 hour'",
  "UPDATE soft_deadlines SET time = time + interval '1 day' WHERE open AND time < now() + interval '1 hour'",
  "UPDATE trigger_causes SET expire_time = expire_time + interval '1 day' WHERE expire_time < now() + interval '1 hour'",
];
/** What a replica has yet to take: entries of the inbox, and new causes of triggers, except of paused ones. */
const pendingEntry = {
  name: '',
  text: `
SELECT 1 AS one FROM job_inbox UNION ALL
SELECT 1 FROM trigger_causes c LEFT JOIN schedules s ON s.schedule_id = c.trigger_id
WHERE c.key IS NULL AND s.paused IS NOT TRUE LIMIT 1`,
  row: { one: 'int4' },
} satisfies Statement;

/** Waits until nothing changes by itself any more. */
function quietDigest(): Promise<Record<string, string>> {
  let before: unknown;
  return eventually('a store that nothing changes by itself', async () => {
    for (const text of postponements) await database.run({ name: '', text }, []);
    // An entry is deleted together with the change that it makes, so the digest has to be the later one.
    const isAllTaken = (await database.run(pendingEntry, [])).length === 0;
    const digest = await digestOf(database);
    const isQuiet = isAllTaken && isDeepStrictEqual(digest, before);
    before = digest;
    return isQuiet ? digest : undefined;
  });
}

async function sendDamaged({ good, send }: Way, method: DescMethod): Promise<void> {
  const bytes = good(method);
  for (let sent = 0; sent < PER_METHOD; sent += BATCH) {
    const batch = Array.from({ length: BATCH }, () =>
      dice.chance(0.15) ? bytesOf(dice, dice.int(0, 200)) : damaged(dice, bytes),
    );
    const before = await quietDigest();
    const outcomes = await Promise.all(batch.map((one) => send(method, one)));
    const faults = outcomes.flatMap(({ fault }, i) =>
      fault ? [`${Buffer.from(batch[i] ?? []).toString('base64')}: ${fault}`] : [],
    );
    expect(faults).toEqual([]);
    if (outcomes.every(({ taken }) => !taken)) expect(await digestOf(database)).toEqual(before);
  }
}

describe.each(ways.map((way) => [way.name, way] as const))('a damaged %s request', (_name, way) => {
  const methods = allMethods.filter(way.serves);

  it.each(methods.map((method) => [method.name, method] as const))(
    'gets a valid answer: %s',
    async (_method, method) => {
      await sendDamaged(way, method);
    },
  );

  it('leaves the replica healthy', () => vitals.check());
});
