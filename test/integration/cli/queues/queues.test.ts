/** `muster queues` on a real server: created, shown, paused, resumed, changed, deleted. */
import { JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

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
  it('create, get, update and delete manage a queue', async () => {
    const created = await server.run(['queues', 'create', 'mails', '--description', 'what is mailed']);
    expect(created).toMatchObject({ code: 0, stdout: 'Queue mails was created.\n', stderr: '' });
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

  it('set, show and remove limits and weights', async () => {
    const limits = ['--max-concurrency', '20', '--rate', '100/1m30s:20', '--weight', 'acme=2', '--weight', 'a=b=0.5'];
    expect((await server.run(['queues', 'create', 'limited', ...limits])).code).toBe(0);
    const get = async () => JSON.parse((await server.run(['queues', 'get', 'limited', '--json'])).stdout);
    const weights = { acme: 2, 'a=b': 0.5 };
    const made = { maxConcurrency: 20, rateLimit: { units: 100, period: '90s', burst: 20 }, fairnessWeights: weights };
    expect(await get()).toMatchObject(made);
    const shown = (await server.run(['queues', 'get', 'limited'])).stdout;
    expect(shown).toMatch(/held at most +20\n +rate +100\/1m30s:20\n +weights +a=b=0.5 acme=2\n/);
    expect((await server.run(['queues', 'list'])).stdout).toMatch(/limited .*20 at once, 100\/1m30s:20\n/);
    // Omitted settings stay; weights are replaced as a whole.
    await server.run(['queues', 'update', 'limited', '--rate', '5', '--weight', 'other=3']);
    expect(await get()).toMatchObject({ maxConcurrency: 20, rateLimit: { units: 5, period: '1s', burst: 5 } });
    expect((await get()).fairnessWeights).toEqual({ other: 3 });
    await server.run(['queues', 'update', 'limited', '--max-concurrency', '0', '--rate', 'none', '--no-weights']);
    const bare = await get();
    expect([bare.maxConcurrency, bare.rateLimit, bare.fairnessWeights]).toEqual([undefined, undefined, undefined]);
  });

  it('refuse invalid limits, and name the option', async () => {
    const refused = (...args: string[]) => server.run(['queues', 'create', 'unlimited', ...args]);
    const says = (text: RegExp) => ({ code: 2, stderr: expect.stringMatching(text) });
    for (const bad of ['', 'fast', '0', '100/', '100/1x', '1:0', '1000001', '1/1m:', '-1'])
      expect(await refused(`--rate=${bad}`)).toMatchObject(says(/--rate[\s\S]*It takes/));
    expect(await refused('--rate', '1/31d')).toMatchObject(says(/queue\.rate_limit\.period \(--rate\)/));
    expect(await refused('--max-concurrency', '100001')).toMatchObject(says(/--max-concurrency/));
    for (const bad of ['acme', '=1', 'acme=', 'acme=0', 'acme=101', 'acme=x'])
      expect(await refused('--weight', bad)).toMatchObject(says(/--weight[\s\S]*KEY=W/));
    expect(await refused('--weight', 'a=1', '--weight', 'a=2')).toMatchObject(says(/"a" is given twice/));
    expect(await refused('--weight', `${'k'.repeat(257)}=2`)).toMatchObject(says(/\(--weight\)/));
    const both = await server.run(['queues', 'update', 'unlimited', '--weight', 'a=1', '--no-weights']);
    expect(both).toMatchObject(says(/either --weight or --no-weights/));
    expect((await server.run(['queues', 'get', 'unlimited'])).code).toBe(3);
  });

  it('submit jobs with a key of their own', async () => {
    const submitted = await server.run(['submit', 'idle', '--fairness-key', 'acme', '--json']);
    const { jobId } = JSON.parse(submitted.stdout);
    expect((await server.run(['get', jobId])).stdout).toMatch(/fairness key +acme\n/);
    const refused = await server.run(['submit', 'idle', '--fairness-key', 'k'.repeat(257)]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/job\.fairness_key \(--fairness-key\)/) });
  });

  it('refuse a job beyond the limit of its key as a conflict, at once', async () => {
    await server.client.applyDefinition({ name: 'single', keyLimit: { maxConcurrency: 1, policy: 'REJECT_NEW' } });
    const { jobId } = await server.client.submit('single');
    const refused = await server.run(['submit', 'single']);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/LIMIT_REACHED\n.*muster list --def/) });
    expect(refused.stderr).toContain(`may have 1 open, and has 1, such as ${jobId}; try again when one has ended`);
  });

  it('pause and resume stop the jobs of a queue, and the doctor sees it', async () => {
    await server.run(['queues', 'create', 'held']);
    const paused = await server.run(['queues', 'pause', 'held', '--reason', 'the mail server moves']);
    expect(paused).toMatchObject({
      code: 0,
      stdout: 'Queue held is paused; to resume it: muster queues resume held.\n',
    });
    const job = await server.client.submit('add', { a: 1, b: 2 }, { queue: 'held' });
    const table = await eventually('the list counts it', async () => {
      const { stdout } = await server.run(['queues', 'list']);
      return /held +paused +1 /.test(stdout) && stdout;
    });
    expect(table).toMatch(
      /^QUEUE +STATE +READY +LEASED +SCHEDULED +BLOCKED +PAUSED +WAITING +LIMITS +BOUNDS +REMARK\n/,
    );
    expect(table).toMatch(/held +paused +1 .*the mail server moves/);
    const doctor = await server.run(['doctor', '--http', server.httpAddress]);
    expect(doctor.code).toBe(20);
    expect(doctor.stdout).toMatch(/look +queues +held is paused \(the mail server moves\), with 1 ready job in it\n/);
    const full = await server.run(['queues', 'delete', 'held']);
    expect(full).toMatchObject({ code: 4, stderr: expect.stringMatching(/QUEUE_NOT_EMPTY/) });
    expect(await server.run(['queues', 'resume', 'held'])).toMatchObject({
      code: 0,
      stdout: 'Queue held is resumed.\n',
    });
    expect((await server.client.wait(job)).state).toBe(JobState.SUCCEEDED);
    expect((await listed()).held?.paused ?? false).toBe(false);
  });

  it('bound the backlog of a queue, and report a full one', async () => {
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

  it('let the doctor name a queue whose jobs no worker runs', async () => {
    await server.client.submit('idle', {}, { queue: 'lonely' });
    const message = await eventually('the doctor sees it', async () => {
      const { stdout } = await server.run(['doctor', '--http', server.httpAddress, '--json']);
      return JSON.parse(stdout).findings.find((one: { message: string }) => one.message.startsWith('lonely'))?.message;
    });
    expect(message).toBe('lonely has 1 ready job, and no worker for idle');
  });

  it('refuse invalid requests', async () => {
    const bad = await server.run(['queues', 'create', 'Mails']);
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringMatching(/queue\.name/) });
    expect(await server.run(['queues', 'update', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /nothing to change: give --description, --max-concurrency, --rate, --weight, --no-weights, --max-backlog or --max-backlog-age/,
      ),
    });
    const negative = await server.run(['queues', 'create', 'x', '--max-backlog', '-1']);
    expect(negative).toMatchObject({ code: 2, stderr: expect.stringMatching(/from 0 to 1000000000/) });
    const word = await server.run(['queues', 'update', 'x', '--max-backlog-age', 'soon']);
    expect(word).toMatchObject({ code: 2, stderr: expect.stringMatching(/such as 90s, 5m or 2d, or "none"/) });
    const short = await server.run(['queues', 'create', 'x', '--max-backlog-age', '10ms']);
    expect(short).toMatchObject({ code: 2, stderr: expect.stringMatching(/--max-backlog-age/) });
  });
});
