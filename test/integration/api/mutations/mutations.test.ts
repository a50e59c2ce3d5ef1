/**
 * Every field of every RPC is given each value that its kind must refuse: the answer names the field, on both ports,
 * and nothing has changed. The requests are generated from the contract, so new RPCs and fields are included; a new RPC
 * needs an example in proto/examples.json.
 */
import { type DescMethod, fromJson, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { type Actual, allMethods, exampleOf, withActual } from '../../../support/docs/contract.ts';
import { makeJobs, openIdleWorker } from '../../../support/docs/example-world.ts';
import { Refusal } from '../base/rpc.ts';
import { digestOf } from '../base/store-digest.ts';
import { WebClient, type WebRefusal } from '../base/web-clients.ts';
import { World } from '../base/world.ts';
import { type Exception, exceptionOf, exceptions } from './exceptions.ts';
import { isNamed, type Place, pathOf, placesOf, withValue } from './paths.ts';
import { type BadValue, badValuesOf } from './values.ts';

const quiet = { beatMs: 1_000_000, leaseMs: 3_600_000 };

let database: Database;
let world: World;
let actual: Actual;

beforeAll(async () => {
  world = await World.start(quiet);
  database = openPostgres({ url: world.postgresUrl, poolSize: 1 });
  actual = { sessionId: await openIdleWorker(world), ...(await makeJobs(world)) };
});

afterAll(async () => {
  await database?.close();
  await world?.stop();
});

interface Mutation {
  readonly place: Place;
  readonly bad: BadValue;
  readonly request: Message;
  readonly exception: Exception | undefined;
}

const fieldName = ({ field }: Place) =>
  `${field.parent.typeName.replace(/^muster(\.worker)?\.v1\./, '')}.${field.name}`;

function mutationsOf(method: DescMethod): Mutation[] {
  const good = fromJson(method.input, JSON.parse(withActual(JSON.stringify(exampleOf(method)), actual)));
  return placesOf(method.input).flatMap((place) =>
    badValuesOf(place.field).map((bad) => ({
      place,
      bad,
      request: withValue(method.input, good, place, bad.value),
      exception: bad.jsonOnly ? undefined : exceptionOf(fieldName(place), bad.what, pathOf(place)),
    })),
  );
}

type Answer = Refusal | WebRefusal | undefined;

/** Undefined if the call succeeded. */
async function overGrpc(method: DescMethod, request: Message): Promise<Answer> {
  const call = world.rpc.send(method as never, toBinary(method.input, request));
  return call.then(
    () => undefined,
    (error) => (error instanceof Refusal ? error : Promise.reject(error)),
  );
}

/** JSON can not express some values, such as a duration with two signs. */
function isJson(method: DescMethod, request: Message): boolean {
  try {
    toJson(method.input, request);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the answer. A feature that this release lacks is refused before its fields are checked. */
function faultOf({ place }: Mutation, answer: Answer): string | undefined {
  if (!answer) return 'was accepted';
  if (answer.code === Code.UNIMPLEMENTED && answer.reason === 'NOT_IMPLEMENTED') return undefined;
  const said = `${answer.code} ${answer.reason} ${answer.message}`.slice(0, 200);
  if (answer.code !== Code.INVALID_ARGUMENT) return said;
  return isNamed(place, answer.fields) ? undefined : `${said} (${answer.fields.join(', ')})`;
}

const BATCH = 50;

/** Sends them in small groups. Returns the wrong answers, one per line. */
async function send(
  mutations: readonly Mutation[],
  call: (mutation: Mutation) => Promise<Answer>,
  fault: (mutation: Mutation, answer: Answer) => string | undefined,
): Promise<string[]> {
  const faults: string[] = [];
  for (let at = 0; at < mutations.length; at += BATCH) {
    const batch = mutations.slice(at, at + BATCH);
    const answers = await Promise.all(batch.map(call));
    for (const [i, mutation] of batch.entries()) {
      const found = fault(mutation, answers[i]);
      const { place, bad } = mutation;
      if (found) faults.push(`${fieldName(place)} at ${pathOf(place)}, ${bad.row} ${bad.what}: ${found}`);
    }
  }
  return faults;
}

/** The jobs of the seed can conflict here, and a worker with too many heartbeats is refused. */
const always = [Code.OK, Code.ALREADY_EXISTS, Code.RESOURCE_EXHAUSTED];

function exceptionFault({ exception }: Mutation, answer: Answer): string | undefined {
  const code = answer?.code ?? Code.OK;
  if (answer?.reason === 'NOT_IMPLEMENTED') return undefined;
  const allowed = exception?.code ? [exception.code] : always;
  return allowed.includes(code) ? undefined : `${code} ${answer?.message}, and the exception says ${allowed}`;
}

describe.each(['gRPC', 'Connect JSON', 'Connect binary'] as const)('a bad value in any field over %s', (port) => {
  const methods = allMethods.filter(({ parent }) => port === 'gRPC' || parent !== SessionService);

  it.each(methods.map((method) => [method.name, method] as const))('is refused: %s', async (_name, method) => {
    const client = port === 'gRPC' ? undefined : new WebClient(world.replica.httpAddress, port);
    const call = ({ request }: Mutation) => (client ? client.outcome(method, request) : overGrpc(method, request));
    const mutations = mutationsOf(method).filter(({ bad, request }) =>
      port === 'Connect JSON' ? isJson(method, request) : !bad.jsonOnly,
    );
    expect(mutations.length).toBeGreaterThan(3);
    const before = await digestOf(database);
    expect(
      await send(
        mutations.filter(({ exception }) => !exception),
        call,
        faultOf,
      ),
    ).toEqual([]);
    expect(await digestOf(database)).toEqual(before);
    expect(
      await send(
        mutations.filter(({ exception }) => exception),
        call,
        exceptionFault,
      ),
    ).toEqual([]);
  });
});

describe('the replica after all bad values', () => {
  it('is ready, and accepts the valid forms of what it refused', async () => {
    expect((await fetch(`${world.replica.httpAddress}/readyz`)).status).toBe(200);
    expect(await world.stateOf(actual.jobId)).toBe('READY');
    await makeJobs(world);
  });

  it('has no exception for a field that does not exist', () => {
    const fields = new Set(allMethods.flatMap(({ input }) => placesOf(input).map(fieldName)));
    expect(Object.keys(exceptions).filter((field) => !fields.has(field))).toEqual([]);
  });
});
