/** `muster events`: kept events, new events, and positions to continue from. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
});

afterAll(() => server?.stop());

interface Line {
  readonly position: string;
  readonly jobId: string;
  readonly state: string;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Runs the command until it has shown that many lines. */
function shown(args: readonly string[], count: number): Promise<string> {
  return eventually(`muster events shows ${count} lines`, async () => {
    const { code, stdout } = await server.run(['events', ...args]);
    expect(code).toBe(0);
    return stdout.split('\n').length > count && stdout;
  });
}

describe('muster events', () => {
  it('shows the events of a job, safe for a terminal', async () => {
    const { jobId } = await server.client.submit('fail');
    await server.client.wait(jobId);
    const stdout = await shown(['--job', jobId], 4);
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
    const line = (state: string, rest = '') => `${time}  ${state.padEnd(10)}  ${jobId}  fail${rest}\\n`;
    const why = 'TypeError: no \\\\e\\[31mway';
    expect(stdout).toMatch(
      new RegExp(
        `^${line('READY')}${line('SCHEDULED', `  attempt 1  ${why}`)}${line('READY', '  attempt 1')}` +
          `${line('FAILED', `  attempt 2  ${why}`)}$`,
      ),
    );
  });

  it('shows events as JSON with their positions, from which it continues', async () => {
    const { jobId } = await server.client.submit('add', { a: 1, b: 2 });
    await server.client.wait(jobId);
    const [, last] = linesOf(await shown(['--job', jobId, '--type', 'READY,SUCCEEDED', '--json'], 2));
    expect(last).toMatchObject({ jobId, state: 'JOB_STATE_SUCCEEDED' });
    const { stdout } = await server.run(['events', '--job', jobId, '--from', last?.position as string, '--json']);
    expect(stdout).toBe('');
  });

  it('follows new events until it is stopped', async () => {
    const following = server.startProcess(['events', '--follow', '--type', 'succeeded', '--json']);
    const jobId = await eventually('a job is shown', async () => {
      const job = await server.client.submit('add', { a: 1, b: 2 });
      await server.client.wait(job);
      await shown(['--job', job.jobId], 2);
      return linesOf(following.output.stdout).find((line) => line.jobId === job.jobId)?.jobId;
    });
    expect(jobId).toBeDefined();
    following.child.kill('SIGINT');
    expect((await following.ended).code).toBe(130);
  });

  it('says when no event matches, and explains an expired position', async () => {
    const { stdout, stderr } = await server.run(['events', '--type', 'EXPIRED']);
    expect([stdout, stderr]).toEqual(['', 'No kept events match.\n']);
    const gone = await server.run(['events', '--from', '999999']);
    expect(gone.code).toBe(2);
    expect(gone.stderr).toContain('--from 0 begins with the oldest kept event');
  });
});
