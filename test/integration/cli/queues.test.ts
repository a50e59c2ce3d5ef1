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
    expect(table).toMatch(/^QUEUE +STATE +READY +HELD +SCHEDULED +BLOCKED +PAUSED +WAITING +BOUNDS +REMARK\n/);
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

  it('bound what waits in one, and say so when it is full', async () => {
    const bounds = ['--max-backlog', '1', '--max-backlog-age', '5m'];
    expect(await server.run(['queues', 'create', 'small', ...bounds])).toMatchObject({ code: 0, stderr: '' });
    const shown = await server.run(['queues', 'get', 'small']);
    expect(shown.stdout).toMatch(/most that wait +1 job\n.*longest wait +5m\n/);
    expect((await server.run(['queues', 'list'])).stdout).toMatch(/small +open .* 1, 5m/);
    await server.client.submit('idle', {}, { queue: 'small' });
    const refused = await server.run(['submit', 'idle', '--queue', 'small']);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toMatch(/queue small has 1 ready job;/);
    expect(refused.stderr).toMatch(/QUEUE_FULL\n.*muster queues get NAME/);
    const cleared = await server.run(['queues', 'update', 'small', '--max-backlog', '0', '--max-backlog-age', 'none']);
    expect(cleared).toMatchObject({ code: 0, stdout: 'Queue small is changed.\n' });
    const { maxBacklog, maxBacklogAge } = await server.client.getQueue('small');
    expect([maxBacklog, maxBacklogAge]).toEqual([0n, undefined]);
    expect((await server.run(['submit', 'idle', '--queue', 'small'])).code).toBe(0);
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
      stderr: expect.stringMatching(/nothing to change: give --description, --max-backlog or --max-backlog-age/),
    });
    const negative = await server.run(['queues', 'create', 'x', '--max-backlog', '-1']);
    expect(negative).toMatchObject({ code: 2, stderr: expect.stringMatching(/from 0 to 1000000000/) });
    const word = await server.run(['queues', 'update', 'x', '--max-backlog-age', 'soon']);
    expect(word).toMatchObject({ code: 2, stderr: expect.stringMatching(/such as 90s, 5m or 2d, or "none"/) });
    const short = await server.run(['queues', 'create', 'x', '--max-backlog-age', '10ms']);
    expect(short).toMatchObject({ code: 2, stderr: expect.stringMatching(/--max-backlog-age/) });
  });
});
