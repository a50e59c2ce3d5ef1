/** Random messages on the subjects that a replica subscribes to are ignored, and jobs still run. */

import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NIL_UUID } from '../../../server/api/base/checks.ts';
import { hintsSubject, loopbackSubject } from '../../../server/bus/subjects.ts';
import { formatCredentials } from '../../../server/bus/trust.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { outcomes, type TestWorker } from '../api/base/test-worker.ts';
import { World } from '../api/base/world.ts';
import { bytesOf, diceOf, tries } from './chance.ts';
import { Vitals } from './vitals.ts';

const dice = diceOf('bus');

let nats: ScratchNats;
let world: World;
let stranger: NatsConnection;
let vitals: Vitals;

beforeAll(async () => {
  nats = await startNats();
  const { url, credentialsFile: natsCredentialsFile, signingSeedFile: natsSigningSeedFile } = nats;
  world = await World.start({ natsUrls: [url], natsCredentialsFile, natsSigningSeedFile });
  const authenticator = credsAuthenticator(new TextEncoder().encode(formatCredentials(nats.replica)));
  stranger = await connect({ servers: url, authenticator });
  vitals = new Vitals(world);
});

afterAll(async () => {
  await stranger?.close();
  await world?.stop();
  await nats?.stop();
});

const oddNumbers = [Number.NaN, Infinity, -Infinity, -1, -0, 0.5, 1e300, -1e300, 2 ** 63, 2 ** 53, 2 ** 31, -(2 ** 53)];
/** These include the lanes of the test, which are the first ones of a new database. */
const laneIds = [1, 2, 3, 4, ...oddNumbers];

/** A hint of a known kind, well-formed, but with numbers that no replica would send. */
function oddHint(): Uint8Array {
  const items = dice.int(1, 5);
  const bytes = Buffer.from(bytesOf(dice, 17 + items * 16));
  bytes.writeUInt8(dice.int(0, 3), 0);
  for (let i = 0; i < items; i++) {
    if (dice.chance(0.8)) bytes.writeDoubleBE(dice.pick(laneIds), 17 + i * 16);
    if (dice.chance(0.8)) bytes.writeDoubleBE(dice.pick(oddNumbers), 25 + i * 16);
  }
  return bytes;
}

async function runOne(worker: TestWorker, definition: string): Promise<void> {
  const jobId = await world.submit(definition);
  const [attempt] = await worker.take(1);
  if (!attempt) throw new Error('nothing was assigned');
  await worker.report({ of: attempt, outcome: outcomes.result('done') });
  expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
}

it('random messages on the bus do not disturb replicas', async () => {
  const definition = await world.define();
  const worker = await world.openWorker(definition);
  await runOne(worker, definition); // its lane is known from now on
  for (let i = 0; i < tries(2_000); i++) {
    stranger.publish(hintsSubject, dice.chance(0.7) ? oddHint() : bytesOf(dice, dice.int(0, 300)));
    if (i % 100 === 0) stranger.publish(loopbackSubject(NIL_UUID), bytesOf(dice, dice.int(0, 50)));
  }
  await stranger.flush();
  for (let i = 0; i < 5; i++) await runOne(worker, definition);
  // The jobs wait first, so that only the replica's own knowledge of the lane finds them.
  const waiting = await Promise.all(Array.from({ length: 20 }, () => world.submit(definition)));
  for (const attempt of await worker.take(waiting.length)) {
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
  }
  for (const jobId of waiting) expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  await vitals.check();
});
