/**
 * `muster simulate`: input files, output as tables, JSON and a drawing, errors in the files, and the export from a
 * server.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Simulator } from '../../../../server/tools/simulate/run-simulation.ts';
import { useScratchFiles } from '../../../support/base/scratch-files.ts';
import { runMuster } from '../../../support/cli/cli.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const files = useScratchFiles();
const { file } = files;

// A command opens a database of its own, which takes seconds; here all share one, which each run empties first.
let endSharing: () => Promise<void>;
beforeAll(async () => {
  const simulator = await Simulator.open();
  const close = vi.spyOn(simulator, 'close').mockResolvedValue();
  const open = vi.spyOn(Simulator, 'open').mockResolvedValue(simulator);
  endSharing = () => {
    open.mockRestore();
    close.mockRestore();
    return simulator.close();
  };
});
afterAll(() => endSharing?.());

const mails = {
  definitions: [{ name: 'mail', queue: 'mails', keyLimit: { key: 'labels.tenant', maxConcurrency: 2 } }],
  queues: [{ name: 'mails', maxConcurrency: 4 }],
  workers: [{ name: 'small', slots: 8 }],
};
const line = (more: object) =>
  JSON.stringify({ at: '0s', definition: 'mail', run: '1s', labels: { tenant: 'a' }, ...more });
const lines = (...all: object[]) => `${all.map(line).join('\n')}\n`;
const simulate = (...args: string[]) => runMuster(['simulate', ...args], { cwd: files.folder });

describe('muster simulate', () => {
  const arrivals = () =>
    file('many.jsonl', lines(...Array.from({ length: 24 }, (_, at) => ({ labels: { tenant: `t${at % 4}` } }))));

  it('prints the predicted outcome in tables', async () => {
    const { code, stdout, stderr } = await simulate(file('mails.json', mails), arrivals());
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Seed 1; 24 jobs simulated in [\d.]+ s\n$/);
    expect(stdout).toMatch(/^24 jobs in 6\.0s\n/);
    expect(stdout).toMatch(/\nQUEUE +ARRIVED .*\nmails +24 +24 .* 20 +4 +/);
    expect(stdout).toMatch(/\nDEFINITION .*\nmail +24 /);
    expect(stdout).toMatch(/\nKEY .*\nmail t0 +6 /);
    expect(stdout).toMatch(/\nWORKER +SLOTS +ATTEMPTS +BUSY\nsmall +8 +24 +50\.0 %\n$/);
  });

  it('prints the same bytes for the same seed, in JSON and as a drawing', async () => {
    const scenario = file('mails.json', mails);
    const run = (chart: string) => simulate(scenario, arrivals(), '--json', '--seed', '5', '--chart', chart);
    const [first, again] = [await run('a.svg'), await run('b.svg')];
    expect(first.code).toBe(0);
    expect(again.stdout).toBe(first.stdout);
    expect(JSON.parse(first.stdout)).toMatchObject({ seed: 5, report: { spanMs: 6_000, all: { succeeded: 24 } } });
    const drawing = readFileSync(join(files.folder, 'a.svg'), 'utf8');
    expect(readFileSync(join(files.folder, 'b.svg'), 'utf8')).toBe(drawing);
    expect(drawing).toMatch(/^<svg [\s\S]*jobs that wait[\s\S]*<polyline[\s\S]*<\/svg>\n$/);
    expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('compares the scenario with a changed one, by options or by another file', async () => {
    const scenario = file('mails.json', mails);
    const by = await simulate(scenario, arrivals(), '--set', 'queues.mails.maxConcurrency=8');
    expect(by.code).toBe(0);
    expect(by.stdout).toMatch(/^OF +WHAT +AS IT WAS +AS CHANGED +CHANGE\n/);
    expect(by.stdout).toMatch(/\nqueue mails +wait max +5\.0s +2\.0s +−60 %\n/);
    expect(by.stdout).toMatch(/\nall +time +6\.0s +3\.0s +−50 %\n/);
    const more = { ...mails, queues: [], workers: [{ name: 'small', slots: 2, count: 2 }] };
    const other = await simulate(scenario, arrivals(), '--changed', file('other.json', more), '--json');
    expect(JSON.parse(other.stdout)).toMatchObject({
      asItWas: { spanMs: 6_000, slots: 8 },
      asChanged: { spanMs: 6_000, slots: 4, workers: [{ name: 'small-1' }, { name: 'small-2' }] },
    });
  });

  it('accepts calendar times in any order, and arrivals from stdin', async () => {
    const at = (time: string) => line({ at: time });
    const stdin = [at('2026-05-04T09:30:05Z'), '', at('2026-05-04T09:30:00Z')].join('\n');
    const { code, stdout } = await runMuster(['simulate', 'run', file('mails.json', mails), '-'], { stdin });
    expect([code, stdout.split('\n')[0]]).toEqual([0, '2 jobs in 6.0s']);
  });
});

describe('the help of muster simulate', () => {
  it('has an example that runs as it is', async () => {
    const { stdout } = await simulate('run', '--help');
    const scenario = /^ {2}definitions:\n(?: {4,}.*\n| {2}\w+:\n)+/m.exec(stdout)?.[0] ?? '';
    const arrivals = stdout.match(/^ {2}\{.*\}$/gm) ?? [];
    const command = /^ {2}muster (simulate run jobs\.yaml yesterday\.jsonl --set .*)$/m.exec(stdout)?.[1] ?? '';
    file('jobs.yaml', scenario.replace(/^ {2}/gm, ''));
    file('yesterday.jsonl', arrivals.join('\n'));
    const run = await runMuster(command.split(' '), { cwd: files.folder });
    expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/^Seed 1; 2 jobs simulated in [\d.]+ s\n$/)]);
    expect(run.stdout).toMatch(/\nkey mail acme +most at once +1 +1\n[\s\S]*all +time +3\.5s +3\.5s\n/);
    expect(readFileSync(join(files.folder, 'mails.svg'), 'utf8')).toMatch(/^<svg /);
  });

  it('names each field of an arrival', async () => {
    const { stdout } = await simulate('--help');
    const bad = await simulate(file('mails.json', mails), file('bad.jsonl', lines({ zzzzzzzzzzzzzzzz: 1 })));
    const fields = /is no field; there are (.*)/.exec(bad.stderr)?.[1]?.split(', ') ?? [];
    expect(fields.length).toBeGreaterThan(10);
    for (const field of fields) expect(stdout).toMatch(new RegExp(`\\b${field}\\b`));
  });
});

describe('invalid input of muster simulate', () => {
  const good = lines({});
  const refused = async (scenario: unknown, arrivals: string, ...options: string[]) => {
    const result = await simulate(file('bad.yaml', scenario), file('bad.jsonl', arrivals), ...options);
    expect([result.code, result.stdout]).toEqual([2, '']);
    return result.stderr;
  };

  it.each<[string, unknown, string, RegExp]>([
    [
      'values that a server refuses',
      { ...mails, queues: [{ name: 'mails', maxConcurrency: -1 }] },
      good,
      /bad\.yaml: queues\[0\]\.max_concurrency: /,
    ],
    [
      'an invalid expression',
      { ...mails, definitions: [{ name: 'mail', fairnessKey: 'tenant' }] },
      good,
      /bad\.yaml: definitions\[0\]\.fairness_key: names tenant/,
    ],
    ['an invalid queue', mails, lines({ queue: 'No Queue' }), /bad\.jsonl: line 1: queue: /],
    [
      'no key where one is needed',
      mails,
      lines({}, { labels: {} }),
      /bad\.jsonl: line 2: input: gives no key_limit\.key/,
    ],
    [
      'an unknown field',
      { ...mails, queues: [{ name: 'a', maxConcurency: 1 }] },
      good,
      /queues\[0\]\.maxConcurency: .*did you mean maxConcurrency/,
    ],
    [
      'amounts that no worker can have',
      { ...mails, workers: [{ name: 'w', slots: 1, resources: { gpu: -1 } }] },
      good,
      /workers\[0\]\.resources\["gpu"\]: is -1; must be from 0 /,
    ],
    [
      'resources that are no numbers',
      { ...mails, workers: [{ name: 'w', slots: 1, resources: { memory: '4Gi' } }] },
      good,
      /workers\[0\]\.resources: must be a mapping of numbers/,
    ],
    ['an arrival without a run time', mails, lines({}, { run: undefined }), /line 2: run: is missing/],
  ])('with %s is refused with its location', async (_what, scenario, arrivals, message) => {
    expect(await refused(scenario, arrivals)).toMatch(message);
  });

  it.each([
    [['--set', 'mails=5'], /It takes LIST\.NAME\.FIELD=VALUE/],
    [['--set', 'queue.mails.maxConcurrency=5'], /It takes LIST\.NAME\.FIELD=VALUE/],
    [['--set', 'workers.smal.slots=5'], /there is no smal among the workers; did you mean small\?/],
    [['--set', 'workers.small.slots=0'], /workers\[0\]\.slots: must be a whole number/],
    [['--set', 'queues.mails.maxConcurency=5'], /queues\[0\]\.maxConcurency: is no field/],
    [['--set', 'queues.mails.name.x=5'], /name has no fields/],
    [['--changed', 'nowhere.yaml'], /can't read nowhere\.yaml/],
    [['--seed', '-1'], /whole number from 0/],
    [['--server', 'localhost:1'], /takes no --server/],
  ])('is refused: %j', async (options, message) => {
    expect(await refused(mails, good, ...options)).toMatch(message);
  });

  it('in a change is found before the first run, also if the unchanged scenario is valid', async () => {
    // The first run would find that line 2 has no key.
    const keyless = lines({}, { labels: {} });
    const change = ['--set', 'queues.mails.maxConcurrency=-1'];
    expect(await refused(mails, keyless, ...change)).toMatch(
      /bad\.yaml --set queues\.mails\.maxConcurrency=-1: queues\[0\]\.max_concurrency: /,
    );
    expect(await refused(mails, good, '--set', 'definitions.mail.keyLimit.key=labels.other')).toMatch(
      /bad\.yaml --set definitions\.mail\.keyLimit\.key=labels\.other: with .*bad\.jsonl, line 1: input: gives no key/,
    );
  });

  it('is reported in JSON, too', async () => {
    const { code, stderr } = await simulate(file('bad.yaml', {}), file('bad.jsonl', good), '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr).error).toMatchObject({
      exitCode: 2,
      details: expect.arrayContaining(['definitions: is missing: at least one is needed']),
    });
  });

  it('is named if a file does not exist or can not be written', async () => {
    const scenario = file('mails.json', mails);
    expect((await simulate(scenario, 'nowhere.jsonl')).stderr).toMatch(/can't read nowhere\.jsonl/);
    const { code, stdout, stderr } = await simulate(scenario, file('one.jsonl', good), '--chart', 'no/such/folder.svg');
    expect([code, stdout.split('\n')[0]]).toEqual([2, '1 job in 1.0s']);
    expect(stderr).toMatch(/--chart: ENOENT/);
  });
});

describe('muster simulate export', () => {
  let server: CliServer;

  beforeAll(async () => {
    server = await startCliServer();
  });

  afterAll(() => server?.stop());

  it('writes what a server has done, and its simulation gives the same numbers', async () => {
    const { client } = server;
    await client.applyDefinition({
      name: 'add',
      keyLimit: { key: 'input.tenant', maxConcurrency: 1 },
      fairnessKey: 'input.tenant',
    });
    const tenants = ['a', 'b', 'a', 'c', 'a', 'b'];
    const ids = await Promise.all(
      tenants.map((tenant, n) => client.submit('add', { a: n, b: 1, tenant }, { labels: { n: `${n}` }, priority: n })),
    );
    const schedule = [
      'schedules',
      'set',
      'nightly',
      'add',
      '--cron',
      '0 3 * * *',
      '--input',
      '{"a": 1, "b": 2, "tenant": "c"}',
    ];
    expect((await server.run(schedule)).code).toBe(0);
    const triggered = JSON.parse((await server.run(['schedules', 'trigger', 'nightly', '--json'])).stdout);
    expect((await server.run(['watch', triggered.jobId])).code).toBe(0);
    const failing = await client.submit('fail', {});
    await client.submit('idle', {}, { delayMs: 3_600_000 });
    await Promise.all(ids.map((id) => client.result(id)));
    await client.wait(failing);
    const exported = await server.run(['simulate', 'export', '--since', '1h']);
    expect(exported.code).toBe(0);
    expect(exported.stderr).toMatch(/^8 jobs written\n1 job left out: no job of their definition/);
    const rows = exported.stdout
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row));
    expect(rows).toHaveLength(8);
    expect(rows.find(({ labels }) => labels?.n === '1')).toEqual({
      at: expect.stringMatching(/^20\d\d-.*Z$/),
      definition: 'add',
      queue: 'default',
      priority: 1,
      labels: { n: '1' },
      fairnessKey: 'b',
      limitKey: 'b',
      run: expect.stringMatching(/^\d+ms$/),
    });
    expect(rows.find(({ definition }) => definition === 'fail')).toMatchObject({
      outcome: 'failed',
      failureType: 'TypeError',
    });

    const scenario = {
      definitions: [
        { name: 'add', keyLimit: { key: 'input.tenant', maxConcurrency: 1 }, fairnessKey: 'input.tenant' },
        { name: 'fail', retryPolicy: { maxAttempts: 2, minBackoff: '1ms' } },
      ],
      workers: [{ name: 'w', slots: 4 }],
    };
    const arrivals = file('exported.jsonl', exported.stdout);
    const { code, stdout } = await simulate(file('server.json', scenario), arrivals, '--json');
    expect(code).toBe(0);
    const { report } = JSON.parse(stdout);
    expect(report.all).toMatchObject({ arrived: 8, succeeded: 7, failed: 1, open: 0, attempts: 9 });
    const keys = report.keys.map(
      ({ name, arrived, mostAtOnce }: { name: string; arrived: number; mostAtOnce: number }) => [
        name,
        arrived,
        mostAtOnce,
      ],
    );
    expect(keys.toSorted()).toEqual([
      ['add a', 3, 1],
      ['add b', 2, 1],
      ['add c', 2, 1],
    ]);
  });

  it('selects a queue, definition or time, and says when there is nothing', async () => {
    const { code, stdout, stderr } = await server.run(['simulate', 'export', '--queue', 'nobodys']);
    expect([code, stdout, stderr]).toEqual([0, '', '0 jobs written\n']);
    const one = await server.run(['simulate', 'export', '--definition', 'fail']);
    expect(one.stdout.trim().split('\n')).toHaveLength(1);
    expect((await server.run(['simulate', 'export', '--since', 'yesterday'])).code).toBe(2);
  });
});
