/** `muster queues`, on a real server: made, shown, paused, resumed, changed, deleted. */
import { JobState } from '@muster/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../support/cli-server.ts';
import { eventually } from '../../support/eventually.ts';

let server: CliServer;
beforeAll(async () => {
  server = await startCliServer();
});
afterAll(() => server?.stop());

async function listed(): Promise<Record<string, { paused?: boolean; counts?: Record<string, string> }>> {
  const { stdout } = await server.run(['queues', 'list', '--json']);
  const queues = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return Object.fromEntries(queues.map((queue) => [queue.name, queue]));
}

describe('muster queues', () => {
  it('create, get, update and delete one', async () => {
    const created = await server.run(['queues', 'create', 'mails', '--description', 'what is mailed']);
    expect(created).toMatchObject({ code: 0, stdout: 'Queue mails is there now.\n', stderr: '' });
    const shown = await server.run(['queues', 'get', 'mails']);
    expect(shown.stdout).toMatch(/^Queue mails {2}open\n/);
    expect(shown.stdout).toMatch(/for +what is mailed\n/);
    const { etag } = JSON.parse((await server.run(['queues', 'get', 'mails', '--json'])).stdout);
    const changed = await server.run(['queues', 'update', 'mails', '--description', '', '--etag', etag]);
    expect(changed).toMatchObject({ code: 0, stdout: 'Queue mails is changed.\n' });
    const stale = await server.run(['queues', 'update', 'mails', '--description', 'x', '--etag', etag]);
    expect(stale).toMatchObject({ code: 4, stderr: expect.stringMatching(/ETAG_STALE\n/) });
    const twice = await server.run(['queues', 'create', 'mails']);
    expect(twice).toMatchObject({ code: 4, stderr: expect.stringMatching(/QUEUE_EXISTS\n.*muster queues get NAME/) });
    expect(await server.run(['queues', 'delete', 'mails'])).toMatchObject({
      code: 0,
      stdout: 'Queue mails is gone.\n',
    });
    const gone = await server.run(['queues', 'get', 'mails', '--json']);
    expect([gone.code, JSON.parse(gone.stderr).error.reason]).toEqual([3, 'QUEUE_NOT_FOUND']);
  });

  it('pause and resume hold the jobs of one, and the doctor sees it', async () => {
    await server.run(['queues', 'create', 'held']);
    const paused = await server.run(['queues', 'pause', 'held', '--reason', 'the mail server moves']);
    expect(paused).toMatchObject({
      code: 0,
      stdout: 'Queue held is paused: muster queues resume held lets it go on.\n',
    });
    const job = await server.client.submit('add', { a: 1, b: 2 }, { queue: 'held' });
    const table = await eventually('the list counts it', async () => {
      const { stdout } = await server.run(['queues', 'list']);
      return /held +paused +1 /.test(stdout) && stdout;
    });
    expect(table).toMatch(/^QUEUE +STATE +READY +HELD +SCHEDULED +BLOCKED +PAUSED +WAITING +REMARK\n/);
    expect(table).toMatch(/held +paused +1 .*the mail server moves/);
    const doctor = await server.run(['doctor', '--http', server.httpAddress]);
    expect(doctor.code).toBe(20);
    expect(doctor.stdout).toMatch(/look +queues +held is paused \(the mail server moves\), with 1 ready job in it\n/);
    const full = await server.run(['queues', 'delete', 'held']);
    expect(full).toMatchObject({ code: 4, stderr: expect.stringMatching(/QUEUE_NOT_EMPTY/) });
    expect(await server.run(['queues', 'resume', 'held'])).toMatchObject({ code: 0, stdout: 'Queue held goes on.\n' });
    expect((await server.client.wait(job)).state).toBe(JobState.SUCCEEDED);
    expect((await listed()).held?.paused ?? false).toBe(false);
  });

  it('the doctor names a queue whose jobs nobody runs', async () => {
    await server.client.submit('idle', {}, { queue: 'lonely' });
    const message = await eventually('the doctor sees it', async () => {
      const { stdout } = await server.run(['doctor', '--http', server.httpAddress, '--json']);
      return JSON.parse(stdout).findings.find((one: { message: string }) => one.message.startsWith('lonely'))?.message;
    });
    expect(message).toBe('lonely has 1 ready job, and no worker for idle');
  });

  it('refuse what can not be', async () => {
    const bad = await server.run(['queues', 'create', 'Mails']);
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringMatching(/queue\.name/) });
    expect(await server.run(['queues', 'update', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/nothing to change: give --description/),
    });
  });
});
