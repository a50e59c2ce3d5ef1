/** `muster logs`: the log records of one attempt or all, to the end or as they come. */
import { Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
let worker: Worker;
let running: Promise<void>;
let resume = () => {};
/** Lets the handler `steps` continue. */
let step = () => {};

beforeAll(async () => {
  server = await startCliServer();
  const gate = new Promise<void>((resolve) => {
    resume = resolve;
  });
  worker = new Worker({
    address: server.address,
    name: 'logger',
    logger: { log() {} },
    handlers: {
      twice: (ctx) => {
        ctx.log('info', `try ${ctx.attempt}`, { file: 'a b.csv', rows: 3 });
        ctx.log('debug', 'a detail');
        if (ctx.attempt === 1) throw new Error('once more');
        ctx.log('warn', 'two lines:\nthe second, with \u001b[31mred');
      },
      slow: async (ctx) => {
        ctx.log('info', 'before');
        await gate;
        ctx.log('error', 'after');
      },
      steps: async (ctx) => {
        ctx.log('info', `try ${ctx.attempt}`);
        await new Promise<void>((resolve) => {
          step = resolve;
          ctx.signal.addEventListener('abort', () => resolve());
        });
        if (ctx.attempt === 1) throw new Error('once more');
      },
    },
  });
  running = worker.run();
  await server.client.applyDefinition({ name: 'twice', retryPolicy: { maxAttempts: 2, minBackoffMs: 1 } });
  await server.client.applyDefinition({ name: 'steps', retryPolicy: { maxAttempts: 2, minBackoffMs: 1 } });
  await server.client.applyDefinition({ name: 'slow' });
});

afterAll(async () => {
  resume();
  await worker?.stop();
  await running;
  await server?.stop();
});

describe('muster logs', () => {
  it('shows the records of each attempt, safe for a terminal', async () => {
    const { jobId } = await server.client.submit('twice');
    await server.client.wait(jobId);
    const { code, stdout, stderr } = await server.run(['logs', jobId]);
    expect([code, stderr]).toEqual([0, '']);
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
    expect(stdout).toMatch(
      new RegExp(
        `^Attempt 1\\n${time}  INFO   try 1  (file=a b.csv rows=3|rows=3 file=a b.csv)\\n${time}  DEBUG  a detail\\n` +
          `Attempt 2\\n${time}  INFO   try 2  .*\\n${time}  DEBUG  a detail\\n${time}  WARN   two lines:\\n` +
          `    the second, with \\\\e\\[31mred\\n$`,
      ),
    );
    const second = await server.run(['logs', jobId, '--attempt', '2', '--level', 'warn', '--json']);
    expect(
      second.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ attempt: 2, level: 'LOG_LEVEL_WARN', sequence: '3' }]);
  });

  it('--follow shows new records until the job has ended', async () => {
    const { jobId } = await server.client.submit('slow');
    const following = server.start(['logs', jobId, '--follow']);
    await eventually('the first record is shown', () => following.output.stdout.includes('before'));
    expect(following.output.stdout).not.toContain('after');
    resume();
    const { code, stdout } = await following.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/INFO {3}before\n.*ERROR {2}after\n$/);
  });

  it('--follow continues from attempt to attempt, or ends with the requested one', async () => {
    const { jobId } = await server.client.submit('steps');
    const [all, first] = [
      server.start(['logs', jobId, '-f']),
      server.start(['logs', jobId, '-f', '--attempt', '1', '--json']),
    ];
    await eventually('both follow', () => all.output.stdout.includes('try 1') && first.output.stdout.includes('try 1'));
    step();
    await eventually('the second attempt is shown', () => all.output.stdout.includes('try 2'));
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.output.stdout)).toMatchObject({ attempt: 1, message: 'try 1' });
    step();
    expect(await all.ended).toMatchObject({ code: 0, stderr: '' });
    expect(all.output.stdout).toMatch(/^Attempt 1\n.*INFO {3}try 1\nAttempt 2\n.*INFO {3}try 2\n$/);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('--follow ends cleanly at %s, and the job continues', async (signal, code) => {
    const { jobId } = await server.client.submit('steps');
    const { child, output, ended } = server.startProcess(['logs', jobId, '--follow']);
    await eventually('it follows', () => output.stdout.includes('try 1'));
    child.kill(signal);
    expect(await ended).toMatchObject({ code, stderr: '' });
    expect((await server.client.get(jobId)).endTime).toBeUndefined();
    await server.client.cancel(jobId);
  });

  it('reports that there are no records, and an unknown job or level', async () => {
    const { jobId } = await server.client.submit('idle');
    expect(await server.run(['logs', jobId])).toMatchObject({ code: 0, stdout: '', stderr: 'Nothing was logged.\n' });
    const nobody = await server.run(['logs', '0198c0de-0000-7000-8000-000000000003']);
    expect(nobody).toMatchObject({ code: 3, stderr: expect.stringContaining('JOB_NOT_FOUND') });
    expect(await server.run(['logs', jobId, '--level', 'loud'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--level: "loud" is no level\n.*debug, info, warn, error/),
    });
    expect((await server.run(['logs', jobId, '--attempt', '0'])).code).toBe(2);
  });
});
