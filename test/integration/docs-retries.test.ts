/** The examples of the guides on retries and circuit breakers work, letter by letter, and print what the guides say. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runExample } from '../support/guide.ts';
import { startTestReplica, type TestReplica } from '../support/replica.ts';

let replica: TestReplica;

beforeAll(async () => {
  replica = await startTestReplica();
});

afterAll(() => replica?.stop());

it.each(['retries', 'circuit-breakers'])('the example of docs/%s.md prints what it says', async (name) => {
  const { printed, promised } = await runExample(name, replica.grpcAddress);
  expect(printed).toBe(promised);
});
