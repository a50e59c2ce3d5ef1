/** Handlers that need longer than their run timeout, in each language, against a real control plane. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureCause } from '../../../sdk/typescript/src/gen/muster/v1/failure_pb.ts';
import { JobState } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import { Deployment, languages } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

describe.each(languages)('a handler in %s', (language) => {
  const definition = `${language}-slow`;
  // Longer than its timeout and the slack that the server adds to it.
  const run = 4_000;

  beforeAll(async () => {
    const runTimeout = { seconds: 1n };
    await deployment.client.applyDefinition({ name: definition, runTimeout, retryPolicy: { maxAttempts: 1 } });
    await deployment.startWorker(language);
  });

  it('that requests more time gets it', async () => {
    const job = await deployment.client.submit(definition, { run, extend: 60_000 });
    expect(await deployment.client.result(job)).toBe('done');
  });

  it('that does not is stopped, and its attempt has timed out', async () => {
    const job = await deployment.client.wait(await deployment.client.submit(definition, { run, extend: 0 }));
    expect(job).toMatchObject({
      state: JobState.FAILED,
      outcome: { case: 'failure', value: { type: 'RunTimeout', failureCause: FailureCause.TIMEOUT } },
    });
  });

  it('that requests too little is stopped later', async () => {
    const job = await deployment.client.wait(await deployment.client.submit(definition, { run, extend: 500 }));
    expect(job).toMatchObject({ state: JobState.FAILED, outcome: { value: { type: 'RunTimeout' } } });
  });
});
