/** `muster batches` on a real server: created, filled line by line, sealed, awaited, cancelled. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
let folder: string;

beforeAll(async () => {
  server = await startCliServer();
  folder = mkdtempSync(join(tmpdir(), 'muster-batches-'));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function create(...options: string[]): Promise<string> {
  const { code, stdout, stderr } = await server.run(['batches', 'create', ...options, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout).job.jobId;
}

describe('muster batches', () => {
  it('creates, fills, seals and awaits a batch', async () => {
    const made = await server.run(['batches', 'create', '--label', 'campaign=may', '--description', 'mails']);
    expect(made.stdout).toMatch(/^Batch \S+ is open: muster submit NAME --batch \S+ adds to it, muster batches seal/);
    const jobId = made.stdout.split(' ')[1] as string;
    const one = await server.run(['submit', 'add', '--input', '{"a": 1, "b": 2}', '--batch', jobId]);
    expect(one.code).toBe(0);
    const file = join(folder, 'sums.ndjson');
    writeFileSync(file, '{"a": 1, "b": 2}\n'.repeat(20));
    const lines = await server.run(['submit', 'add', '--input-file', file, '--each-line', '--batch', jobId]);
    expect([lines.code, lines.stderr]).toEqual([0, '20 jobs stored\n']);
    const open = await server.run(['batches', 'get', jobId]);
    expect(open.stdout).toMatch(/^Batch \S+ {2}OPEN\n {2}members .* of 21 members ended\n/);
    expect(open.stdout).toMatch(
      /may fail {5}none, but all run\n {2}description {2}mails\n {2}labels {7}campaign=may\n/,
    );
    const sealed = await server.run(['batches', 'seal', jobId]);
    expect(sealed.code).toBe(0);
    expect(sealed.stdout).toContain('of 21 members ended');
    const waited = await server.run(['batches', 'wait', jobId]);
    expect(waited.code).toBe(0);
    expect(waited.stdout).toMatch(/^Batch \S+ SUCCEEDED after \S+: 21 of 21 members ended\n$/);
    const json = await server.run(['batches', 'get', jobId, '--json']);
    expect(JSON.parse(json.stdout).counts).toEqual({ members: '21', succeeded: '21' });
    const late = await server.run(['submit', 'add', '--batch', jobId]);
    expect(late.code).toBe(4);
    expect(late.stderr).toMatch(/was sealed and takes no more members/);
    expect(late.stderr).toMatch(/muster batches create creates another one/);
  });

  it('starts a job at the end of a batch, and shows the outcome by the exit code', async () => {
    const jobId = await create('--max-failed', '3', '--on-end', 'add', '--on-end-input', '{"a": 1, "b": 2}');
    const open = await server.run(['batches', 'get', jobId]);
    expect(open.stdout).toMatch(/may fail +3, then it stops/);
    expect(open.stdout).toMatch(/callback +add/);
    await server.run(['submit', 'idle', '--batch', jobId]);
    const timeUp = await server.run(['batches', 'wait', jobId, '--timeout', '10ms']);
    expect([timeUp.code, timeUp.stderr]).toEqual([6, 'After 10ms: 0 of 1 member ended; it continues.\n']);
    const cancelled = await server.run(['batches', 'cancel', jobId, '--reason', 'wrong list']);
    expect(cancelled.code).toBe(0);
    const { code, stdout } = await server.run(['batches', 'wait', jobId]);
    expect(code).toBe(11);
    expect(stdout).toMatch(/^Batch \S+ CANCELLED after \S+: 1 of 1 member ended, 1 cancelled\n {2}wrong list\n$/);
    const batch = JSON.parse((await server.run(['batches', 'get', jobId, '--json'])).stdout);
    expect(batch.callbackJobId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('retries a batch, and follows the new one to its end', async () => {
    const jobId = await create('--tolerate-failed', '--label', 'campaign=june');
    for (const a of [1, 2])
      await server.run(['submit', 'add', '--input', `{"a": ${a}, "b": 2}`, '--delay', '1h', '--batch', jobId]);
    const early = await server.run(['batches', 'retry', jobId]);
    expect(early.code).toBe(4);
    expect(early.stderr).toMatch(/is WAITING, it has not ended: wait for its end, or cancel it first/);
    await server.run(['batches', 'cancel', jobId]);
    await server.run(['batches', 'wait', jobId]);
    const retried = await server.run(['batches', 'retry', jobId, '--reason', 'it is back', '--wait']);
    expect([retried.code, retried.stderr]).toEqual([
      0,
      expect.stringMatching(/^Batch \S+ retries 2 members of batch \S+\n$/),
    ]);
    expect(retried.stdout).toMatch(/^Batch \S+ SUCCEEDED after \S+: 2 of 2 members ended\n$/);
    const newId = retried.stdout.split(' ')[1] as string;
    const shown = await server.run(['batches', 'get', newId]);
    expect(shown.stdout).toContain(`retries   2 members of ${jobId}\n`);
    expect(shown.stdout).toMatch(/labels +campaign=june/);
    const again = await server.run(['batches', 'retry', jobId]);
    expect(again.code).toBe(4);
    expect(again.stderr).toContain(`was retried as batch ${newId}`);
    expect(again.stderr).toMatch(/muster batches get JOB shows the one that retries it/);
    const nothing = await server.run(['batches', 'retry', newId]);
    expect(nothing.stderr).toMatch(/there is nothing to retry/);
  });

  it.each([
    [['retry', 'x'], 2, /job_id/],
    [['retry', '0198c0de-0000-7000-8000-00000000ffff'], 3, /no batch 0198c0de-0000-7000-8000-00000000ffff/],
    [['retry', '0198c0de-0000-7000-8000-00000000ffff', '--timeout', '1s'], 2, /--timeout needs --wait/],
    [['create', '--max-failed', '-1'], 2, /whole number at least 0/],
    [['create', '--max-failed', '1', '--tolerate-failed'], 2, /batch\.max_failed \(--max-failed\): must be unset/],
    [['create', '--on-end-input', '{}'], 2, /--on-end-input needs --on-end/],
    [['create', '--on-end', 'add', '--on-end-input', '[1]'], 2, /\(--on-end-input\): must be a JSON object, or empty/],
    [['create', '--on-end', 'missing'], 3, /no job definition missing/],
    [['get', 'x'], 2, /job_id/],
    [['wait', '0198c0de-0000-7000-8000-00000000ffff'], 3, /no batch 0198c0de-0000-7000-8000-00000000ffff/],
    [['cancel', '0198c0de-0000-7000-8000-00000000ffff'], 3, /no batch/],
  ])('refuses %j', async (args, code, message) => {
    const refused = await server.run(['batches', ...args]);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toMatch(message);
  });
});
