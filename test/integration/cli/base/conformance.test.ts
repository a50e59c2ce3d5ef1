/**
 * `muster conformance`: a table, JSON, a report; failures come with their reason; a command that is no worker is
 * refused at once.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allCases } from '../../../../server/tools/conformance/select.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { useScratchFiles } from '../../../support/base/scratch-files.ts';
import { runMuster, runMusterProcess, startMusterProcess } from '../../../support/cli/cli.ts';
import { runConsoleGuide } from '../../../support/cli/console-guide.ts';

const files = useScratchFiles();
const worker = [process.execPath, 'workers/conformance-typescript/worker.ts'];
const conformance = (...args: string[]) => runMuster(['conformance', ...args]);
const planted = (bug: string) => [
  ...['env', `MUSTER_PLANTED_BUG=${bug}`, process.execPath],
  ...['--import', './test/conformance/planted/plant.ts', 'workers/conformance-typescript/worker.ts'],
];

describe('muster conformance', () => {
  it('prints the outcome of each case, and exits with 0 if all have passed', async () => {
    const { code, stdout, stderr } = await conformance('--case', 'echo-json', '--case', 'failure-*', '--', ...worker);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^CASE +VERDICT +TIME +RULE +PROVES THAT\necho-json +passed +[\d.]+ s +Running +JSON goes to /,
    );
    expect(stdout).toMatch(/\nfailure-typed +passed .*\n[\s\S]*\n\n6 passed, 0 failed\n$/);
    expect(stderr).toMatch(/^Seed 1; 6 cases in [\d.]+ s\n$/);
  });

  it('exits with 22 if one has failed, with the requirement, the place and the reason', async () => {
    const report = join(files.folder, 'report.json');
    const args = ['--case', 'echo-json', '--case', 'failure-typed', '--report', report, '--seed', '7'];
    const { code, stdout, stderr } = await conformance(...args, '--', ...planted('loses the type of errors'));
    expect(code).toBe(22);
    expect(stderr).toContain('failed: failure-typed\n');
    expect(stdout).toMatch(/\nfailure-typed\nrule +docs\/worker-protocol\.md, "Reports"\nwanted +A typed failure has /);
    expect(stdout).toMatch(
      /\nfailed in +step 3 of \d+: a is reported: .*\nsince +a was reported as failure of type "Error"/,
    );
    expect(stdout).toMatch(/\n1 passed, 1 failed(; 1 case disturbed)?\n$/);
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      seed: 7,
      passed: 1,
      failed: 1,
      cases: [
        { name: 'echo-json', verdict: 'passed', step: '', why: '' },
        {
          name: 'failure-typed',
          group: 'Running',
          rule: 'Reports',
          verdict: 'failed',
          step: expect.stringMatching(/^step 3/),
        },
      ],
    });
  });

  it('skips what the worker is declared to lack, and says so', async () => {
    const args = ['--without', 'children', '--without', 'content-types', '--case', 'children', '--case', 'echo-*'];
    const { code, stdout } = await conformance(...args, '--', ...worker);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nchildren +not offered /);
    expect(stdout).toMatch(/\n\necho-own-type is not offered: the worker is said to be without content-types\n/);
    expect(stdout).toMatch(/\n4 passed, 0 failed, 3 not offered\n$/);
  });

  it('answers in JSON', async () => {
    const { code, stdout } = await conformance('--json', '--case', 'echo-empty', '--', ...worker);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ command: worker, passed: 1, cases: [{ name: 'echo-empty' }] });
  });

  it('lists every case with what it proves, as text and as JSON', async () => {
    const { code, stdout } = await conformance('--list');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(allCases.length + 1);
    const { stdout: json } = await conformance('--list', '--json', '--case', 'killed');
    expect(JSON.parse(json)).toEqual({
      name: 'killed',
      rule: 'Draining and ending',
      proves: 'A killed process reports nothing.',
    });
  });

  it.each([
    ['a command that can not be started', ['--', './no-such-worker'], /can't be started: .*ENOENT/],
    [
      'one that ends before it opens a session',
      ['--', process.execPath, '-e', 'throw Error("no way")'],
      /ended \(exit code 1\) before it opened a session\n[\s\S]*no way/,
    ],
    ['no command', [], /no worker is named: its command comes after --/],
    [
      'a case that is not there',
      ['--case', 'echo-josn', '--', ...worker],
      /--case names no case\n +echo-josn; did you mean echo-json\?/,
    ],
    [
      'a report that can not be written',
      ['--case', 'killed', '--report', '/no/such/folder/x', '--', ...worker],
      /--report: .*ENOENT/,
    ],
    [
      'a server, which it does not talk to',
      ['--server', 'x:1', '--', ...worker],
      /muster conformance takes no --server/,
    ],
    [
      'a feature that there is not',
      ['--without', 'chidlren', '--', ...worker],
      /It takes one of children, content-types, /,
    ],
    ['no number of workers', ['--parallel', '0', '--', ...worker], /--parallel.*from 1 to 64/],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await conformance(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/next +\S/);
  });

  it('says how to get a nats-server if there is none', async () => {
    const env = { MUSTER_NATS_SERVER: '/no/nats-server' };
    const { code, stderr } = await runMusterProcess(['conformance', '--case', 'killed', '--', ...worker], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^muster: no bus to test with: MUSTER_NATS_SERVER: \/no\/nats-server does not run/);
  });

  it('ends its workers when it is stopped', async () => {
    const mark = `mark-${randomUUID()}`;
    const { child, ended } = startMusterProcess(['conformance', '--case', 'credit-life', '--', ...worker, mark]);
    const runs = () => processes().some((words) => words.includes(mark) && !words.includes('--case'));
    await eventually('a worker runs', runs);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    await eventually('no worker runs', () => !runs());
  });

  it('matches its guide', async () => {
    const { count, differences } = await runConsoleGuide('conformance.md', '', { cwd: process.cwd() });
    expect(count).toBe(2);
    expect(differences).toEqual([]);
  });
});

const processes = () => execFileSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' }).split('\n');
