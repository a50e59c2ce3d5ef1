/** `muster workers` and `muster breakers`, on a real server with real workers. */
import { Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
beforeAll(async () => {
  server = await startCliServer();
  await connected('cli-worker');
});
afterAll(() => server?.stop());

async function connected(name: string, count = 1): Promise<Record<string, unknown>[]> {
  return eventually(`${count} of ${name} connected`, async () => {
    const { stdout } = await server.run(['workers', 'list', '--json']);
    const workers = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const found = workers.filter((worker) => worker.name === name);
    return found.length === count && found;
  });
}

/** A worker whose job ends on the test's request. */
async function startWorker(name: string) {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const handler = async () => {
    started.resolve();
    await gate.promise;
  };
  const worker = new Worker({ address: server.address, name, handlers: { [name]: handler }, logger: { log() {} } });
  const running = worker.run();
  return { worker, running, open: () => gate.resolve(), started: started.promise };
}

describe('muster workers', () => {
  it('list shows the connected workers, as a table and as JSON', async () => {
    const { code, stdout } = await server.run(['workers', 'list']);
    expect(code).toBe(0);
    const [titles, ...rows] = stdout.trimEnd().split('\n');
    expect(titles).toMatch(/^SESSION +NAME +STATE +HELD +BEAT +UP +SDK +HANDLERS$/);
    expect(rows.find((row) => row.includes('cli-worker'))).toMatch(/ open +0\/\d+ .* add fail gate$/);
    const elsewhere = await server.run(['workers', 'list', '--namespace', 'empty']);
    expect(elsewhere).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No worker is connected: jobs wait until one is.\n',
    });
  });

  it('get shows a worker by its name or session, with its jobs; drain --wait lets it finish', async () => {
    const { worker, running, open, started } = await startWorker('slow');
    await server.client.applyDefinition({ name: 'slow' });
    const { jobId } = await server.client.submit('slow');
    await started;
    const shown = await server.run(['workers', 'get', 'slow']);
    expect(shown.stdout).toMatch(/^Worker slow {2}open\n/);
    expect(shown.stdout).toMatch(/held +1 of \d+ slots/);
    expect(shown.stdout).toContain(jobId);
    const { worker: found, heldJobs } = JSON.parse((await server.run(['workers', 'get', 'slow', '--json'])).stdout);
    expect(heldJobs).toMatchObject([{ jobId, definition: 'slow', attempt: 1 }]);
    const late = await server.run(['workers', 'drain', found.sessionId, '--wait', '--timeout', '1s']);
    expect(late).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(/takes no new jobs and finishes the 1 job that it has/),
    });
    expect((await server.run(['workers', 'get', found.sessionId])).stdout).toMatch(/^Worker slow {2}draining\n/);
    // By its session: its name is not found after it has ended, which may be before the command asks.
    const drained = server.run(['workers', 'drain', found.sessionId, '--wait']);
    open();
    expect(await drained).toMatchObject({ code: 0, stdout: 'Worker slow has finished and ended.\n' });
    await running;
    await worker.stop();
    expect((await server.client.wait(jobId)).state).toBe(9);
  });

  it('refuse an unknown name and one of several workers', async () => {
    const twins = await Promise.all([startWorker('twin'), startWorker('twin')]);
    try {
      await connected('twin', 2);
      const both = await server.run(['workers', 'drain', 'twin']);
      expect(both.code).toBe(2);
      expect(both.stderr).toMatch(
        /2 workers are named "twin"\n( {2}[0-9a-f-]{36}\n){2} {2}next +give the id of the session/,
      );
    } finally {
      await Promise.all(twins.map(({ worker }) => worker.stop()));
      await Promise.all(twins.map(({ running }) => running));
    }
    const nobody = await server.run(['workers', 'get', 'nobody', '--json']);
    expect(nobody.code).toBe(3);
    expect(JSON.parse(nobody.stderr).error.message).toBe('no worker named "nobody" is connected');
    const unknown = await server.run(['workers', 'get', '0198c0de-0000-7000-8000-000000000003']);
    expect(unknown).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/SESSION_NOT_FOUND\n.*muster workers list/),
    });
    expect((await server.run(['workers', 'drain', 'x', '--timeout', '3s'])).stderr).toMatch(
      /--timeout goes with --wait/,
    );
  });
});

describe('muster breakers', () => {
  it('list and close open breakers', async () => {
    expect(await server.run(['breakers', 'list'])).toMatchObject({ code: 0, stdout: '' });
    const circuitBreaker = { name: 'mail-server', failureThreshold: 1, openDuration: { seconds: 3_600n, nanos: 0 } };
    const retryPolicy = { maxAttempts: 1 };
    await server.client.applyDefinition({
      name: 'fail-mail',
      body: { case: 'task', value: { handler: 'fail' } },
      circuitBreaker,
      retryPolicy,
    });
    await server.client.wait(await server.client.submit('fail-mail'));
    const open = await eventually('the breaker opens', async () => {
      const { stdout } = await server.run(['breakers', 'list']);
      return stdout.includes(' open ') && stdout;
    });
    expect(open).toMatch(/^BREAKER +STATE +FAILURES +OPENED +NEXT TRIAL\nmail-server +open +1 /);
    const closed = await server.run(['breakers', 'close', 'mail-server']);
    expect(closed).toMatchObject({ code: 0, stdout: 'Breaker mail-server is closed: its jobs continue.\n' });
    expect(JSON.parse((await server.run(['breakers', 'list', '--json'])).stdout)).toMatchObject({
      name: 'mail-server',
      state: 'CIRCUIT_STATE_CLOSED',
    });
    const nothing = await server.run(['breakers', 'close', 'no-such']);
    expect(nothing).toMatchObject({ code: 3, stderr: expect.stringMatching(/CIRCUIT_BREAKER_NOT_FOUND/) });
  });
});
