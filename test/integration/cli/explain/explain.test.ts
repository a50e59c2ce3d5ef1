/** `muster explain` on a real server: sentences as text, the message as JSON, and the jobs before one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
beforeAll(async () => {
  server = await startCliServer();
});
afterAll(() => server?.stop());

describe('muster explain', () => {
  it('says in sentences why a job waits, which jobs are before it, and what to do', async () => {
    const { jobId: first } = await server.client.submit('idle');
    const { jobId } = await server.client.submit('idle');
    const { stdout, code, stderr } = await server.run(['explain', jobId]);
    expect([code, stderr]).toEqual([0, '']);
    const [summary, ...rest] = stdout.trimEnd().split('\n');
    expect(summary).toMatch(
      new RegExp(
        `^Job ${jobId} of definition idle version 1 has been READY in queue default since \\S+Z: ` +
          'no session serves definition idle version 1; 1 session serves other handlers\\. ' +
          'Besides, 1 job comes before it\\. Its place in line is 2\\. ' +
          'When it starts is not known: that depends on a worker that takes it\\.$',
      ),
    );
    expect(rest[0]).toBe(
      'NO_WORKER: start a worker that serves definition idle version 1; ListWorkers shows the connected workers: muster workers list.',
    );
    expect(rest[1]).toBe('IN_LINE: held by 1, those first that have been for longest');
    expect(rest[2]).toMatch(new RegExp(`^ {2}job ${first} since .* ago\\)$`));
    expect(rest[3]).toMatch(/^IN_LINE: wait, start more workers/);
    const json = JSON.parse((await server.run(['explain', jobId, '--json'])).stdout);
    expect(json).toMatchObject({
      jobId,
      state: 'JOB_STATE_READY',
      position: 2,
      constraints: [{ reason: 'WAIT_REASON_NO_WORKER' }, { reason: 'WAIT_REASON_IN_LINE', blockerCount: '1' }],
    });
  });

  it('shows the same first reason of a ready job as `muster get`', async () => {
    const { jobId } = await server.client.submit('idle');
    const { stdout } = await server.run(['get', jobId]);
    expect(stdout).toMatch(/^ {2}waits for +NO_WORKER$/m);
    expect(stdout).toMatch(/^ {2}why +no session serves definition idle version 1; 1 session serves other handlers$/m);
    expect((await server.run(['explain', jobId])).stdout).toMatch(/^NO_WORKER: start a worker/m);
  });

  it('shows who runs a job, and how one ended, safe for a terminal', async () => {
    const { jobId } = await server.client.submit('gate');
    const running = await eventually('it is seen running', async () => {
      const { stdout } = await server.run(['explain', jobId]);
      // Progress may be stored a moment before the state.
      return stdout.includes(' is run by ') && stdout.includes('50 % done') && stdout;
    });
    expect(running).toMatch(/ is run by cli-worker \(session .*\), which has had attempt 1 since .* half of it\.\n$/s);
    const failing = await server.client.submit('fail');
    await server.client.wait(failing);
    const { stdout } = await server.run(['explain', failing.jobId]);
    expect(stdout).toMatch(/ ended FAILED at .*, in attempt 2 at worker cli-worker: TypeError: no \\e\[31mway\.\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('exits with 3 for an unknown job, and with 2 for an invalid id', async () => {
    const missing = await server.run(['explain', '019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b']);
    expect(missing).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('JOB_NOT_FOUND') });
    const malformed = await server.run(['explain', 'x']);
    expect(malformed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('job_id') });
  });
});
