/** `muster schedules` on a real server: created, previewed, run, paused, changed, deleted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
let folder: string;

beforeAll(async () => {
  server = await startCliServer();
  folder = mkdtempSync(join(tmpdir(), 'muster-schedules-'));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const lines = (stdout: string) => stdout.split('\n').filter(Boolean);

describe('muster schedules', () => {
  it('say that there are none, and how to create one', async () => {
    const { code, stdout, stderr } = await server.run(['schedules', 'list']);
    expect([code, stdout, stderr]).toEqual([0, '', 'There are no schedules: muster schedules set makes one.\n']);
  });

  it('preview rules, in their zone and in UTC', async () => {
    const rules = ['--cron', '30 2 * * *', '--zone', 'America/New_York', '--after', '2026-03-07T00:00:00Z'];
    const { code, stdout } = await server.run(['schedules', 'preview', ...rules, '--count', '3']);
    expect(code).toBe(0);
    expect(lines(stdout).map((line) => line.slice(0, 57))).toEqual([
      'Sat 2026-03-07 02:30:00 -05:00  2026-03-07T07:30:00.000Z ',
      'Sun 2026-03-08 03:00:00 -04:00  2026-03-08T07:00:00.000Z ',
      'Mon 2026-03-09 02:30:00 -04:00  2026-03-09T06:30:00.000Z ',
    ]);
    const json = await server.run(['schedules', 'preview', ...rules, '--count', '1', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({ times: ['2026-03-07T07:30:00Z'] });
  });

  it.each([
    [['--cron', '30 2 * *'], /times\.crons\[0\] \(--cron\): has 4 fields; write five/],
    [['--cron', '@daily'], /write "0 0 \* \* \*"/],
    [['--every', '500ms'], /times\.intervals\[0\]\.every \(--every\): is 0\.5 s; must be from 1 s/],
    [['--cron', '0 0 * * *', '--zone', 'Mars/Olympus'], /times\.time_zone \(--zone\): is no time zone/],
    [[], /times \(--cron or --every\): names no time/],
  ])('refuse invalid rules: %j', async (rules, message) => {
    const { code, stderr } = await server.run(['schedules', 'preview', ...rules]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('create, show, trigger and list schedules with their runs', async () => {
    const set = ['schedules', 'set', 'nightly', 'add', '--cron', '0 3 * * *', '--zone', 'Europe/Vienna'];
    const options = ['--overlap', 'buffer-one', '--input', '{"a": 1, "b": 2}', '--label', 'team=a', '--priority', '5'];
    const dry = await server.run([...set, ...options, '--dry-run']);
    expect(dry.stdout).toMatch(
      /^Schedule nightly is valid; nothing was changed\. Its next times:\n(.* 03:00:00 .*\n){5}$/,
    );
    expect((await server.run(['schedules', 'get', 'nightly'])).code).toBe(3);
    const made = await server.run([...set, ...options]);
    expect(made.stdout).toMatch(/^Schedule nightly is made\. Its next times:\n(.* 03:00:00 .*\n){5}$/);
    const again = await server.run([...set, ...options]);
    expect(again.stdout).toMatch(/^Schedule nightly is stored as given\./);
    const shown = await server.run(['schedules', 'get', 'nightly']);
    expect(shown.stdout).toMatch(/^Schedule nightly {2}on\n/);
    expect(shown.stdout).toMatch(/times +"0 3 \* \* \*" in Europe\/Vienna\n/);
    expect(shown.stdout).toMatch(/overlap +buffer-one\n/);
    const triggered = await server.run(['schedules', 'trigger', 'nightly']);
    const [, jobId] = /^Job ([0-9a-f-]{36}) is stored\n$/.exec(triggered.stdout) ?? [];
    expect((await server.client.get(jobId ?? '')).priority).toBe(5);
    expect(await server.client.result(jobId ?? '')).toBe(3);
    const runs = await server.run(['schedules', 'runs', 'nightly']);
    expect(runs.stdout).toMatch(new RegExp(`^TIME +STATE +BY +JOB +WHY\\n.*STARTED +trigger +${jobId} *\\n$`));
    const table = await server.run(['schedule', 'list']);
    expect(table.stdout).toMatch(/^SCHEDULE +STATE +NEXT +JOBS +DEFINITION +TIMES +REMARK\nnightly +on +in .* 1 +add /);
  });

  it('apply files, and name an error with its location', async () => {
    const file = join(folder, 'schedules.yaml');
    writeFileSync(
      file,
      'name: one\ntimes: { crons: ["0 4 * * *"], timeZone: Europe/Vienna }\njob: { definition: add, input: { json: { a: 1, b: 1 } } }\n---\nname: two\ntimes: { intervals: [{ every: 15m }] }\njob: { definition: add }\noverlapPolicy: allow-all\n',
    );
    const applied = await server.run(['schedules', 'apply', '-f', file]);
    expect(applied.stdout).toMatch(/^Schedule one is made\.[\s\S]*Schedule two is made\./);
    const { stdout } = await server.run(['schedules', 'list', '--json']);
    const found = lines(stdout).map((line) => JSON.parse(line));
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['one', 'two']));
    const { job } = found.find(({ name }) => name === 'one');
    expect(Buffer.from(job.input.data, 'base64').toString()).toBe('{"a":1,"b":1}');
    writeFileSync(file, 'name: three\ntimes: { crons: ["0 4 * * *"] }\njob: { definition: add }\noverlap: skip\n');
    const unknown = await server.run(['schedules', 'apply', '-f', file]);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/schedules\.yaml: overlap: is no field/) });
    writeFileSync(file, 'name: three\ntimes: { crons: ["0 4 * *"] }\njob: { definition: add }\n');
    const refused = await server.run(['schedules', 'apply', '-f', file]);
    expect(refused.stderr).toMatch(/schedules\.yaml: times\.crons\[0\].*has 4 fields/);
  });

  it('say how far they searched if very many times are excluded', async () => {
    const file = join(folder, 'far.yaml');
    const exclusions = '[{ minute: 0-29, year: 2020-2050 }, { minute: 30-59, year: 2020-2050 }]';
    writeFileSync(
      file,
      `name: far\ntimes: { crons: ["* * * * *"], exclusions: ${exclusions} }\njob: { definition: idle }\n`,
    );
    expect((await server.run(['schedules', 'apply', '-f', file])).stdout).toMatch(/^Schedule far is made/);
    const preview = await server.run(['schedules', 'preview', 'far', '--after', '2026-03-07T00:00:00Z']);
    expect(preview).toMatchObject({
      stdout: '',
      stderr: 'Later times follow many excluded ones: --after 2026-03-10T11:20:59.000Z looks for them.\n',
    });
    const shown = await server.run(['schedules', 'get', 'far']);
    expect(shown.stdout).toMatch(/next +none: it is over, or the next time follows many excluded ones\n/);
  });

  it('pause, backfill and delete schedules', async () => {
    await server.run(['schedules', 'set', 'held', 'idle', '--cron', '0 3 * * *']);
    const paused = await server.run(['schedules', 'pause', 'held', '--reason', 'stock-taking']);
    expect(paused.stdout).toBe('Schedule held is paused; to resume it: muster schedules resume held.\n');
    expect((await server.run(['schedules', 'list'])).stdout).toMatch(/held +paused .*stock-taking/);
    expect((await server.run(['schedules', 'resume', 'held'])).stdout).toBe('Schedule held is resumed.\n');
    const span = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-04T00:00:00Z'];
    const backfilled = await server.run(['schedules', 'backfill', 'held', ...span]);
    expect(backfilled.stdout).toBe('3 times of held will run: muster schedules runs held shows how far they are\n');
    await eventually('they are decided', async () => {
      const { stdout } = await server.run(['schedules', 'runs', 'held']);
      return /STARTED +backfill/.test(stdout) && /BUFFERED +backfill +waits for the end of the job before/.test(stdout);
    });
    const busy = await server.run(['schedules', 'trigger', 'held', '--overlap', 'skip']);
    expect(busy.stdout).toBe('No job yet (SKIPPED): a job of an earlier time had not ended\n');
    expect((await server.run(['schedules', 'delete', 'held'])).stdout).toBe('Schedule held is gone.\n');
    const gone = await server.run(['schedules', 'get', 'held']);
    expect(gone).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/SCHEDULE_NOT_FOUND\n.*muster schedules set/),
    });
  });
});
