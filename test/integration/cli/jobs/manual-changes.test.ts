/**
 * `muster skip`, `muster retry --skip` and `muster audit` on a real server: the commands of docs/workflows.md, and
 * their output.
 */
import { readFileSync } from 'node:fs';
import { stateName } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const guide = readFileSync(new URL('../../../../docs/workflows.md', import.meta.url), 'utf8');
const reason = 'the mail server is down';

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
  const file = `name: mailing
workflow:
  failureMode: run-branches
  steps:
    - { name: count, definition: add, input: '{"a": 1, "b": 2}' }
    - { name: notify, definition: idle, needs: [count] }
    - { name: check, definition: fail, needs: [notify], triggerRule: none-failed, input: '{}' }
`;
  const { code, stderr } = await server.run(['apply', '-f', '-'], { stdin: file });
  expect([code, stderr]).toEqual([0, '']);
});

afterAll(() => server?.stop());

/** The form of a guide: without ids and times, with columns of any width. */
const documented = (text: string) =>
  text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?( \(.+? ago\))?/g, '…')
    .replace(/ +/g, ' ');

/** The output that the guide shows below the command. */
const answerIn = (command: string) => {
  const [, rest = ''] = guide.split(`$ ${command}\n`);
  return documented(rest.slice(0, rest.search(/^(\$|```)/m)));
};

/** A started workflow: before its start no step can be skipped. */
async function begun(): Promise<string> {
  const { jobId } = await server.client.submit('mailing', {});
  await eventually('it has begun', async () => stateName((await server.client.get(jobId)).state) === 'WAITING');
  return jobId;
}

async function failed(): Promise<string> {
  const jobId = await begun();
  await server.run(['skip', jobId, 'notify', '--reason', reason]);
  await server.client.wait(jobId);
  return jobId;
}

describe('muster skip', () => {
  it('says what it does, and shows the state of the step as JSON', async () => {
    const jobId = await begun();
    const { code, stdout, stderr } = await server.run(['skip', jobId, 'notify', '--reason', reason]);
    expect([code, stderr]).toEqual([0, '']);
    expect(documented(stdout)).toBe(answerIn(`muster skip $JOB notify --reason '${reason}'`));
    const other = await begun();
    const json = await server.run(['skip', other, 'notify', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'notify', definition: 'idle' });
  });

  it('reports unknown steps, and steps that can no longer be skipped', async () => {
    const jobId = await failed();
    const unknown = await server.run(['skip', jobId, 'nowhere']);
    expect([unknown.code, unknown.stdout]).toEqual([3, '']);
    expect(unknown.stderr).toContain('has no step "nowhere"');
    expect(unknown.stderr).toContain('muster graph JOB shows the steps');
    const over = await server.run(['skip', jobId, 'count']);
    expect([over.code, over.stdout]).toEqual([4, '']);
    expect(over.stderr).toContain('STEP_NOT_SKIPPABLE');
  });
});

describe('muster retry --skip', () => {
  it('skips steps in the new workflow', async () => {
    const jobId = await failed();
    const args = ['retry', jobId, '--skip', 'notify', '--skip', 'check', '--reason', reason];
    const { code, stdout, stderr } = await server.run(args);
    expect([code, stderr]).toEqual([0, '']);
    const [, made = '', state = ''] = stdout.match(/^Job (\S+) retries \S+: (\w+)\n$/) ?? [];
    expect(answerIn(`muster retry $JOB --skip notify --reason '${reason}'`)).toBe(
      documented(stdout).replace(state, 'READY'),
    );
    expect((await server.client.wait(made)).retryOf).toBe(jobId);
    const graph = await server.run(['graph', made]);
    expect(graph.stdout).toContain('3 steps: 1 SUCCEEDED, 2 SKIPPED');
    expect(graph.stdout).toContain(`skipped by hand: ${reason}`);
  });

  it('names steps that can not be skipped', async () => {
    const jobId = await failed();
    const adopted = await server.run(['retry', jobId, '--skip', 'count']);
    expect([adopted.code, adopted.stdout]).toEqual([4, '']);
    expect(adopted.stderr).toContain('step "count" of job');
    expect(adopted.stderr).toContain('takes its result over: leave it out');
    const twice = await server.run(['retry', jobId, '--skip', 'check', '--skip', 'check']);
    expect([twice.code, twice.stdout]).toEqual([2, '']);
    expect(twice.stderr).toContain('skip_steps[1] (--skip): names the same step as skip_steps[0]');
  });
});

describe('muster audit', () => {
  it('lists the changes of a job as the guide shows them', async () => {
    const { jobId } = await server.client.submit('mailing', {});
    expect(await server.run(['audit', jobId])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    await server.run(['skip', jobId, 'notify', '--reason', reason]);
    const { code, stdout, stderr } = await server.run(['audit', jobId]);
    expect([code, stderr]).toEqual([0, '']);
    expect(documented(stdout)).toBe(answerIn('muster audit $JOB'));
    const json = await server.run(['audit', jobId, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      action: 'AUDIT_ACTION_SKIP_STEP',
      jobId,
      subject: 'notify',
      reason,
    });
  });

  it('lists all changes of a namespace with their targets, newest first', async () => {
    const namespace = ['-n', 'records'];
    await server.run(['apply', '-f', '-', ...namespace], {
      stdin: 'name: idle\n---\nname: flow\nworkflow: { steps: [{ name: a, definition: idle }] }\n',
    });
    const flow = JSON.parse((await server.run(['submit', 'flow', '--json', ...namespace])).stdout).jobId;
    await server.run(['cancel', flow, '--reason', 'wrong', ...namespace]);
    await server.run(['watch', flow, ...namespace]);
    const retry = await server.run(['retry', flow, '--reason', 'right', '--json', ...namespace]);
    const made = JSON.parse(retry.stdout).jobId;
    const batch = JSON.parse((await server.run(['batches', 'create', '--json', ...namespace])).stdout).job.jobId;
    await server.run(['batches', 'seal', batch, ...namespace]);
    const { stdout } = await server.run(['audit', ...namespace]);
    const lines = stdout.trimEnd().split('\n');
    const cells = lines.map((line) => line.split(/ {2,}/).slice(1).join(' | ').trimEnd());
    expect(cells).toEqual([
      'ACTION | JOB | SUBJECT | REASON',
      `SEAL_BATCH | ${batch}`,
      `RETRY_JOB | ${flow} | ${made} | right`,
      `CANCEL_JOB | ${flow} | wrong`,
    ]);
  });

  it('refuses an invalid job id', async () => {
    const { code, stdout, stderr } = await server.run(['audit', 'nonsense']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('job_id (JOB): must be a UUID');
  });
});
