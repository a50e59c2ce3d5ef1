/** `muster apply --rollout` and `muster rollout` on a real server: begun, shown, changed, promoted, rolled back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
});

afterAll(() => server?.stop());

const apply = (stdin: string, ...args: string[]) => server.run(['apply', '-f', '-', ...args], { stdin });
const rollout = (...args: string[]) => server.run(['rollout', ...args]);

/** Waits until a replica has found a worker for the new version. */
const served = (name: string) =>
  eventually(`${name} is served`, async () => {
    const { stdout } = await rollout('status', name, '--json');
    return JSON.parse(stdout).waitsForWorkers !== true;
  });

async function versionsOf(name: string, count: number, ...args: string[]): Promise<Set<number>> {
  const stdin = '{"a": 1, "b": 2}\n'.repeat(count);
  await server.run(['submit', name, '--each-line', '--input-file', '-', '--label', 'round=1', ...args], { stdin });
  const { stdout } = await server.run(['list', '--definition', name, '--limit', String(count), '--json']);
  const lines = stdout.split('\n').filter(Boolean);
  return new Set(lines.map((line) => JSON.parse(line).definitionVersion));
}

describe('muster rollout', () => {
  it('says that there are none, and how to begin one', async () => {
    const { code, stdout, stderr } = await rollout('list');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^There are no roll-outs: .* muster apply --rollout begins one\.\n$/);
    const absent = await rollout('status', 'add');
    expect(absent).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/ROLLOUT_NOT_FOUND\n.*muster apply --rollout begins one/),
    });
  });

  it('shows, changes and promotes what muster apply --rollout has begun', async () => {
    const options = ['--rollout', '0:10m,25:1h,100:10m', '--rollout-label', 'tier=internal', '--min-jobs', '2'];
    const dry = await apply('{ name: add, priority: 1 }', ...options, '--dry-run');
    expect(dry.stdout).toMatch(/^add {2}would become version 2\n/);
    expect(dry.stdout).toContain('  It would be rolled out: 0 % for 10m, 25 % for 1h, 100 % for 10m\n');
    const made = await apply('{ name: add, priority: 1 }', ...options);
    expect(made.stdout).toMatch(/^add {2}version 2 is made\n/);
    expect(made.stdout).toContain('  It is being rolled out: step 1 of 3, 0 % of the new jobs for at least 10m\n');
    expect(made.stdout).toContain('muster rollout status add');
    await served('add');

    const { stdout } = await rollout('status', 'add');
    expect(stdout).toMatch(
      /^Roll-out of add version 2 {2}OPEN\n +step +1 of 3, 0 % of the new jobs for at least 10m\n/,
    );
    expect(stdout).toMatch(
      /next +25 % of the new jobs, in \S+( \S+)? at the earliest, and once 2 more jobs of version 2/,
    );
    expect(stdout).toMatch(/labels +jobs with tier=internal take version 2\n/);
    expect(stdout).toMatch(/\nVERSION +ENDED +FAILED +RATE\n2 \(new\) +0 +0 +-\n1 +\d/);
    expect(await versionsOf('add', 5)).toEqual(new Set([1]));
    expect(await versionsOf('add', 3, '--label', 'tier=internal')).toEqual(new Set([2]));
    const counted = await eventually('its jobs are counted', async () => {
      const { counts } = JSON.parse((await rollout('status', 'add@2', '--json')).stdout);
      return counts?.endedCount === 3 && counts;
    });
    expect(counted.failedCount ?? 0).toBe(0);
    expect((await rollout('list')).stdout).toMatch(
      /^DEFINITION +VERSION +STATE .*\nadd +2 +OPEN +1 of 3: 0 % +0 % +1 /,
    );

    const set = await rollout('set', 'add', '--steps', '50,100:1h');
    expect(set.stdout).toBe('Version 2 of add is at step 1 of 2, 50 % of the new jobs until it is changed.\n');
    const changed = JSON.parse((await rollout('status', 'add', '--json')).stdout);
    expect(changed.settings).toMatchObject({ labels: { tier: 'internal' }, minJobCount: 2 });
    const same = await apply('{ name: add, priority: 1 }', '--rollout', '10');
    expect(same.stdout).toContain('add  unchanged, version 2\n  It is being rolled out: step 1 of 2, 50 %');

    const promoted = await rollout('promote', 'add');
    expect(promoted.stdout).toBe('Version 2 of add is promoted: all new jobs take version 2.\n');
    expect((await rollout('promote', 'add', '--json')).stdout).toContain('"state": "ROLLOUT_STATE_PROMOTED"');
    const late = await rollout('rollback', 'add');
    expect(late).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/ROLLOUT_ENDED\n.*muster rollout status NAME/),
    });
    await eventually('new jobs take it', async () => (await versionsOf('add', 2)).has(2));
  });

  it('shows why a version was rolled back, by itself or by hand', async () => {
    const steps = ['--rollout', '100', '--min-jobs', '2', '--max-failure-increase', '0.5'];
    await apply('{ name: gate, task: { handler: fail }, retryPolicy: { maxAttempts: 1 } }', ...steps);
    await served('gate');
    await eventually('its jobs fail', async () => {
      await versionsOf('gate', 2);
      const { stdout } = await rollout('status', 'gate', '--json');
      return JSON.parse(stdout).state === 'ROLLOUT_STATE_ROLLED_BACK';
    });
    const { stdout } = await rollout('status', 'gate');
    expect(stdout).toMatch(/^Roll-out of gate version 2 {2}ROLLED_BACK\n +reason +100 % of its jobs failed/);
    expect(stdout).toMatch(/next {2}muster list --definition gate --state FAILED: the jobs that failed\n/);

    await apply('{ name: gate, priority: 2 }', '--rollout', '10');
    const back = await rollout('rollback', 'gate@3', '--reason', 'too slow');
    expect(back.stdout).toBe('Version 3 of gate is rolled back: all new jobs take version 1.\n');
    expect((await rollout('status', 'gate')).stdout).toMatch(/ROLLED_BACK\n +reason +too slow\n/);
    expect((await rollout('status', 'gate@2')).stdout).toMatch(/100 % of its jobs failed/);
  });

  it('says that no worker serves a version', async () => {
    await apply('{ name: idle, priority: 1 }', '--rollout', '10:1h');
    await eventually('it is judged', async () =>
      /no worker serves version 2/.test((await rollout('status', 'idle')).stdout),
    );
    expect((await rollout('list')).stdout).toMatch(/\nidle +2 +OPEN .* no worker serves the new version\n/);
  });

  it.each([
    [['--rollout', '25:1h,5:1h'], /a higher percentage/],
    [['--rollout', '101'], /percentages from 0 to 100/],
    [['--rollout', 'all'], /PERCENT\[:HOLD\]/],
    [['--rollout', '10:1h', '--max-failure-increase', '5%'], /a fraction from 0 to 1/],
    [['--min-jobs', '5'], /need --rollout/],
    [['--rollout', '10:100ms'], /rollout\.steps\[0\]\.hold \(--rollout\): /],
    [['--rollout', '10'], /stdin: --rollout: must be unset for a first version/],
  ])('refuses invalid options: %j', async (options, message) => {
    const { code, stderr } = await apply('name: first', ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('refuses other steps that are wrong', async () => {
    await apply('{ name: fail, priority: 1 }', '--rollout', '10');
    expect((await rollout('set', 'fail')).stderr).toMatch(/--steps/);
    const refused = await rollout('set', 'fail', '--steps', '10:31d');
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/settings\.steps\[0\]\.hold \(--steps\): /),
    });
  });
});
