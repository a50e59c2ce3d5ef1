/** The commands on jobs, against a real server with a real worker. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  server = await startCliServer();
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const json = (text: string) => JSON.parse(text);
const jsonLines = (text: string) => text.split('\n').filter(Boolean).map(json);

async function submitted(...args: string[]): Promise<string> {
  const { stdout, code, stderr } = await server.run(['submit', ...args, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return json(stdout).jobId;
}

describe('muster submit', () => {
  it('waits for the result and exits with 0', async () => {
    const { code, stdout } = await server.run(['submit', 'add', '--input', '{"a": 2, "b": 3}', '--wait']);
    expect(stdout).toMatch(/^Job [0-9a-f-]{36} SUCCEEDED after .*\n {2}5\n$/);
    expect(code).toBe(0);
  });

  it('exits with 10 if the job failed, and shows why, safe for a terminal', async () => {
    const { code, stdout } = await server.run(['submit', 'fail', '--wait']);
    expect(stdout).toContain('FAILED');
    expect(stdout).toContain('TypeError: no \\e[31mway (APPLICATION)');
    expect(stdout).toContain('RangeError: the root of it');
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(10);
  });

  it('exits with 6 when the time is up, and the job continues', async () => {
    const { code, stdout, stderr } = await server.run(['submit', 'idle', '--wait', '--timeout', '300ms']);
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toMatch(/After 300ms the job is READY; it continues\./);
  });

  it('sets demands for the worker, and get shows why the job waits', async () => {
    const jobId = await submitted(
      'add',
      '--demand',
      'gpu=8',
      '--demand',
      'memory=4Gi',
      '--require-that',
      '!has(labels.spot)',
    );
    const { stdout } = await server.run(['get', jobId, '--json']);
    expect(json(stdout).stateReason).toBe(
      'no connected worker could ever run it: it takes gpu 8, memory 4294967296; the most that one offers is gpu 0, memory 0',
    );
    const refused = await server.run(['submit', 'add', '--prefer', 'input.zone']);
    expect(refused.stderr).toContain('--prefer');
    expect(refused.code).not.toBe(0);
    const done = await submitted('add', '--input', '{"a": 1, "b": 1}', '--wait');
    const sticky = await server.run(['submit', 'add', '--input', '{"a": 1, "b": 2}', '--sticky-hard', done, '--wait']);
    expect(sticky.stdout).toContain('SUCCEEDED');
  });

  it('takes the input from stdin and from a file, with options', async () => {
    const file = join(folder, 'input.json');
    await writeFile(file, '{"a": 1, "b": 1}');
    const fromFile = await server.run(['submit', 'add@1', '--input-file', file, '--wait', '--json']);
    expect(json(fromFile.stdout)).toMatchObject({ state: 'JOB_STATE_SUCCEEDED', definitionVersion: 1 });
    const args = ['--queue', 'other', '--priority', '-7', '--delay', '1h', '--label', 'a=b', '--label', 'c=d'];
    const stdin = 'plain';
    const { stdout } = await server.run(
      ['submit', 'idle', '--input-file', '-', '--content-type', 'text/plain', ...args, '--json'],
      { stdin },
    );
    const job = await server.client.get(json(stdout).jobId);
    expect(job).toMatchObject({ queue: 'other', priority: -7, labels: { a: 'b', c: 'd' } });
    expect(job.input).toMatchObject({ contentType: 'text/plain', data: new TextEncoder().encode(stdin) });
  });

  it('uses the idempotency key', async () => {
    const first = await submitted('idle', '--idempotency-key', 'k');
    expect(await submitted('idle', '--idempotency-key', 'k')).toBe(first);
    const refused = await server.run(['submit', 'idle', '--idempotency-key', 'k', '--on-conflict', 'fail']);
    expect(refused).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('IDEMPOTENCY_CONFLICT') });
    expect(await submitted('idle', '--idempotency-key', 'k', '--on-conflict', 'replace')).not.toBe(first);
  });

  it('creates a job for each line, and the same ones when it is repeated with a key', async () => {
    const file = join(folder, 'lines.ndjson');
    const count = 2_500;
    await writeFile(file, `${Array.from({ length: count }, (_, at) => `{"n": ${at}}`).join('\n\n')}\n`);
    const args = [
      'submit',
      'idle',
      '--input-file',
      file,
      '--each-line',
      '--label',
      'load=1',
      '--idempotency-key',
      'load',
    ];
    const { code, stdout, stderr } = await server.run(args);
    const ids = stdout.split('\n').filter(Boolean);
    expect([code, new Set(ids).size, stderr]).toEqual([0, count, '2,500 jobs stored\n']);
    expect((await server.run(args)).stdout).toBe(stdout);
    const last = await server.client.get(ids.at(-1) ?? '');
    expect(new TextDecoder().decode(last.input?.data)).toBe(`{"n": ${count - 1}}`);
    const listed = await server.run(['list', '--label', 'load=1', '--all', '--json']);
    expect(new Set(jsonLines(listed.stdout).map(({ jobId }) => jobId))).toEqual(new Set(ids));
    const cancelled = await server.run(['cancel', '--label', 'load=1', '--json']);
    expect(json(cancelled.stdout)).toEqual({ cancelled: count });
  });

  it('names the invalid line', async () => {
    const stdin = '{"a": 1}\n\n{"a"\n';
    const { code, stderr } = await server.run(['submit', 'idle', '--input-file', '-', '--each-line'], { stdin });
    expect(code).toBe(2);
    expect(stderr).toContain('line 3 of stdin is not JSON');
  });
});

describe('muster get and list', () => {
  it('show a job, its parts, and only the bytes on request', async () => {
    const jobId = await submitted('add', '--input', '{"a": 20, "b": 22}', '--label', 'shown=1');
    await server.client.wait(jobId);
    const shown = await server.run(['get', jobId]);
    for (const text of [jobId, 'SUCCEEDED', 'add@1', 'shown=1', '"a": 20', 'cli-worker'])
      expect(shown.stdout).toContain(text);
    expect((await server.run(['get', jobId, '--result'])).stdout).toBe('42');
    expect((await server.run(['get', jobId, '--input'])).stdout).toBe('{"a": 20, "b": 22}');
    expect(json((await server.run(['get', jobId, '--json'])).stdout)).toMatchObject({ jobId, attemptCount: 1 });
  });

  it('filter, stop at the limit and say so', async () => {
    for (let n = 0; n < 3; n++) await submitted('idle', '--label', 'limited=1');
    const { stdout, stderr } = await server.run(['list', '--label', 'limited=1', '--limit', '2', '--json']);
    expect(jsonLines(stdout)).toHaveLength(2);
    expect(stderr).toContain('There are more');
    const all = await server.run(['list', '--label', 'limited=1', '--limit', '3']);
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(4);
    expect([all.stdout.split('\n')[0], all.stderr]).toEqual([expect.stringMatching(/^JOB +STATE +DEFINITION/), '']);
    const none = await server.run(['list', '--definition', 'nothing', '--since', '1h', '--until', '0s']);
    expect([none.code, none.stdout, none.stderr]).toEqual([0, '', 'No jobs match\n']);
  });

  it('end cleanly when their reader closes the pipe', async () => {
    const { child, output, ended } = server.startProcess(['list', '--all', '--json']);
    child.stdout.destroy();
    expect((await ended).code).toBe(0);
    expect(output.stderr).toBe('');
  });
});

describe('muster pause, resume, update, cancel, retry, redrive, erase', () => {
  it('change a waiting job', async () => {
    const jobId = await submitted('idle', '--delay', '1h');
    const paused = await server.run(['pause', jobId, '--reason', 'not today']);
    expect(paused).toMatchObject({ code: 0, stdout: `Job ${jobId} PAUSED: not today\n` });
    expect((await server.run(['resume', jobId])).stdout).toBe(`Job ${jobId} SCHEDULED\n`);
    const updated = await server.run(['update', jobId, '--priority', '9', '--run-in', '0s', '--json']);
    expect(jsonLines(updated.stdout)).toMatchObject([{ state: 'JOB_STATE_READY', priority: 9 }]);
    const cancelled = await server.run(['cancel', jobId, '--reason', 'wrong']);
    expect(cancelled.stdout).toMatch(new RegExp(`^Job ${jobId} CANCELLED: .*wrong`));
    expect(await server.run(['update', jobId, '--priority', '1'])).toMatchObject({ code: 4, stdout: '' });
  });

  it('continue with other jobs if one is refused, and exit with its code', async () => {
    const jobId = await submitted('idle');
    const { code, stdout, stderr } = await server.run(['cancel', 'nonsense', jobId]);
    expect([code, stdout]).toEqual([2, expect.stringMatching(`^Job ${jobId} CANCELLED`)]);
    expect(stderr).toContain('job_id (JOB): must be a UUID');
  });

  it('retry failed jobs, once', async () => {
    const jobId = await submitted('fail', '--label', 'again=1');
    await server.client.wait(jobId);
    expect((await server.run(['redrive', '--label', 'again=1', '--dry-run'])).stdout).toBe(`${jobId}\n`);
    const redriven = await server.run(['redrive', '--label', 'again=1', '--failure-type', 'TypeError', '--json']);
    const [made] = jsonLines(redriven.stdout);
    expect([made.retryOf, redriven.stderr]).toEqual([jobId, '1 job retried\n']);
    expect((await server.client.wait(made.jobId)).retryOf).toBe(jobId);
    const retried = await server.run(['retry', jobId]);
    expect(retried.stdout).toMatch(new RegExp(`^Job [0-9a-f-]{36} retries ${jobId}: (READY|ASSIGNED)`));
    const erased = await server.run(['erase', jobId, '--reason', 'asked for', '--json']);
    expect(json(erased.stdout)).toMatchObject({ job: { erased: true }, auditId: expect.any(String) });
    expect(await server.run(['retry', jobId])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('JOB_ERASED'),
    });
  });

  it('cancel a job that runs without waiting for its handler', async () => {
    const jobId = await submitted('gate');
    await eventually('it runs', async () => (await server.client.get(jobId)).progress?.fraction === 0.5);
    const { code, stdout } = await server.run(['cancel', jobId, '--now', '--reason', 'enough']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(`^Job ${jobId} CANCELLED.*enough`)]);
    const refused = await server.run(['cancel', '--label', 'none=1', '--now']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--now goes with ids') });
    const both = await server.run(['cancel', jobId, '--now', '--grace', '10s']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('either --now or --grace') });
  });

  it('pause and resume the jobs of a filter', async () => {
    const jobId = await submitted('idle', '--label', 'pausing=1');
    const filter = ['--label', 'pausing=1'];
    expect((await server.run(['pause', ...filter, '--dry-run'])).stdout).toBe('1 job would be paused\n');
    const args = ['pause', ...filter, '--running', '--grace', '10s', '--reason', 'not today'];
    expect((await server.run(args)).stdout).toBe('1 job paused or asked to stop\n');
    expect((await server.client.get(jobId)).stateReason).toBe('not today');
    expect(json((await server.run(['resume', ...filter, '--json'])).stdout)).toEqual({ resumed: 1 });
    const mixed = await server.run(['pause', jobId, ...filter]);
    expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining('either ids of jobs or a filter') });
  });

  it('end a job that waits for a person after its last attempt', async () => {
    const retryPolicy = { maxAttempts: 1, onExhaustion: 'PAUSE' } as const;
    const job = await server.client.submit('fail', null, { retryPolicy });
    await eventually('it has failed', async () => (await server.client.get(job)).exhausted);
    const failed = await server.run(['fail', job.jobId, '--reason', 'he has left']);
    expect([failed.code, failed.stdout]).toEqual([0, `Job ${job.jobId} FAILED: he has left\n`]);
    const waiting = await submitted('idle');
    expect(await server.run(['fail', waiting])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('JOB_NOT_FAILED'),
    });
  });

  it.each([['cancel'], ['redrive'], ['pause'], ['resume']])(
    '%s does not take all jobs without a filter',
    async (command) => {
      expect(await server.run([command])).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
    },
  );
});

describe('muster watch', () => {
  it('prints each change, also as JSON, and exits by the outcome of the job', async () => {
    const jobId = await submitted('gate');
    const { output, ended } = server.start(['watch', jobId, '--json']);
    // Progress may be stored a moment before the state; a cancel at that moment would hide that the job ran.
    await eventually('half of it is seen, and that it runs', () =>
      jsonLines(output.stdout).some(
        ({ state, progress }) => state === 'JOB_STATE_RUNNING' && progress?.fraction === 0.5,
      ),
    );
    const waiting = server.start(['cancel', jobId, '--wait']);
    expect((await ended).code).toBe(11);
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('CANCELLED') });
    const states = jsonLines(output.stdout).map(({ state }) => state);
    expect([states.includes('JOB_STATE_RUNNING'), states.at(-1)]).toEqual([true, 'JOB_STATE_CANCELLED']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends cleanly at %s, and the job continues', async (signal, code) => {
    const jobId = await submitted('idle');
    const { child, output, ended } = server.startProcess(['watch', jobId]);
    await eventually('it watches', () => output.stdout.includes('READY'));
    child.kill(signal);
    expect(await ended).toMatchObject({ code, stderr: '' });
    expect((await server.client.get(jobId)).endTime).toBeUndefined();
  });

  it('reports an expired job and an unknown one', async () => {
    const { code } = await server.run(['submit', 'idle', '--expire-in', '1s', '--wait']);
    expect(code).toBe(12);
    const absent = '019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b';
    expect(await server.run(['watch', absent])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('JOB_NOT_FOUND'),
    });
  });
});
