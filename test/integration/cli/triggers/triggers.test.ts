/** `muster triggers` on a real server: created, explained, met by signals, paused, changed, deleted. */
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
  folder = mkdtempSync(join(tmpdir(), 'muster-triggers-'));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const lines = (stdout: string) => stdout.split('\n').filter(Boolean);

describe('muster triggers', () => {
  it('say that there are none, and how to create one', async () => {
    const { code, stdout, stderr } = await server.run(['triggers', 'list']);
    expect([code, stdout, stderr]).toEqual([0, '', 'There are no triggers: muster triggers set makes one.\n']);
  });

  it.each([
    [[], /give at least one of --signal, --asset, --job and --schedule/],
    [['--signal', 'a', '--asset', 'b', '--any', '--within', '1h'], /give either --any or --within/],
    [['--job', 'add:running'], /Behind the colon it takes states of ended jobs/],
    [['--job', 'add:done'], /There is no state "done"/],
    [['--overlap', 'never', '--signal', 'a'], /It takes one of skip, buffer-one/],
    [['--signal', 'Bad Name'], /trigger\.condition/],
    [['--signal', 'a', '--filter', 'cause.'], /trigger\.condition.*filter/],
    [['--signal', 'a', '--expire-after', '10ms'], /trigger\.expire_after \(--expire-after\)/],
  ])('refuse invalid options: %j', async (options, message) => {
    const { code, stderr } = await server.run(['triggers', 'set', 'wrong', 'add', ...options]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('create, show, list and explain triggers, and list their runs', async () => {
    const set = ['triggers', 'set', 'ship', 'add', '--signal', 'paid', '--signal', 'packed', '--key', 'cause.key'];
    const options = ['--within', '1d', '--overlap', 'buffer-all', '--label', 'team=a', '--priority', '5'];
    const condition = 'signal paid and signal packed within 1d';
    const dry = await server.run([...set, ...options, '--dry-run']);
    expect(dry.stdout).toBe(`Trigger ship is valid; nothing was changed. It waits for ${condition}\n`);
    expect((await server.run(['triggers', 'get', 'ship'])).code).toBe(3);
    const made = await server.run([...set, ...options]);
    expect(made.stdout).toBe(`Trigger ship is made. It waits for ${condition}\n`);
    const again = await server.run([...set, ...options, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ trigger: { name: 'ship', job: { priority: 5 } } });
    const shown = await server.run(['triggers', 'get', 'ship']);
    expect(shown.stdout).toMatch(/^Trigger ship {2}on\n/);
    expect(shown.stdout).toMatch(/cause 0 +signal paid, by cause\.key\n +cause 1 +signal packed, by cause\.key\n/);
    expect(shown.stdout).toMatch(/overlap +buffer-all\n/);
    const idle = await server.run(['triggers', 'explain', 'ship']);
    expect(idle.stdout).toMatch(
      /^Nothing has happened that still counts\. It waits for:\n(.*signal (paid|packed)\n)+$/,
    );
    const unmet = await server.run(['triggers', 'runs', 'ship']);
    expect([unmet.stdout, unmet.stderr]).toEqual([
      '',
      'The condition of ship has not been met yet: muster triggers explain ship says what is missing.\n',
    ]);

    const paid = await server.run(['send-signal', 'paid', '--key', 'order-7']);
    expect(paid.stdout).toBe('No job waits for it, and it is taken by 1 trigger\n');
    await eventually('it counts', async () => {
      const { stdout } = await server.run(['triggers', 'explain', 'ship']);
      return /^Key order-7 waits since .*\n +happened +signal paid: .*\n +missing +signal packed\n/.test(stdout);
    });
    const explained = await server.run(['triggers', 'explain', 'ship', '--json']);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      progress: [{ key: 'order-7', held: [{ text: 'signal paid', count: '1' }], missing: ['signal packed'] }],
    });

    await server.run(['send-signal', 'packed', '--key', 'order-7']);
    await eventually('it is met', async () =>
      /^TIME +KEY +STATE +JOB +WHY\n.* order-7 +STARTED +[0-9a-f-]{36} *\n$/.test(
        (await server.run(['triggers', 'runs', 'ship', '--limit', '5'])).stdout,
      ),
    );
    const [run = ''] = lines((await server.run(['triggers', 'runs', 'ship', '--json'])).stdout);
    const { jobId, key } = JSON.parse(run);
    expect(key).toBe('order-7');
    const job = await server.client.get(jobId);
    expect(job).toMatchObject({ priority: 5, labels: { team: 'a', 'muster/trigger': 'ship' } });
    const table = await server.run(['trigger', 'list']);
    expect(table.stdout).toMatch(
      /^TRIGGER +STATE +JOBS +DEFINITION +CONDITION +REMARK\nship +on +1 +add +signal paid and /,
    );
  });

  it('apply files, and name an error with its location', async () => {
    const file = join(folder, 'triggers.yaml');
    writeFileSync(
      file,
      `name: one
condition:
  allOf:
    within: 1d
    conditions:
      - cause: { asset: { name: orders } }
      - anyOf:
          conditions:
            - cause: { signal: { name: go } }
            - cause: { job: { definition: add, states: [failed] } }
job: { definition: add }
overlapPolicy: buffer-one
---
name: two
condition: { cause: { schedule: { name: nightly } } }
job: { definition: add }
`,
    );
    const applied = await server.run(['triggers', 'apply', '-f', file]);
    expect(lines(applied.stdout)).toEqual([
      'Trigger one is made. It waits for asset orders and (signal go or job add (FAILED)) within 1d',
      'Trigger two is made. It waits for schedule nightly',
    ]);
    const again = await server.run(['triggers', 'apply', '-f', file, '--dry-run']);
    expect(again.stdout).toMatch(/^Trigger one is valid; nothing was changed\. It waits for /);
    const { stdout } = await server.run(['triggers', 'list', '--json']);
    expect(lines(stdout).map((line) => JSON.parse(line).name)).toEqual(expect.arrayContaining(['one', 'two']));
    writeFileSync(file, 'name: three\ncondition: { cause: { signal: { nam: go } } }\njob: { definition: add }\n');
    const unknown = await server.run(['triggers', 'apply', '-f', file]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/triggers\.yaml: condition\.cause\.signal\.nam: is no field/);
    expect(unknown.stderr).toMatch(/muster triggers apply --help shows what a trigger looks like/);
    writeFileSync(file, 'name: three\ncondition: { anyOf: { conditions: [] } }\njob: { definition: add }\n');
    const refused = await server.run(['triggers', 'apply', '-f', file]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/triggers\.yaml: condition/) });
  });

  it('pause, resume and delete triggers', async () => {
    await server.run(['triggers', 'set', 'held', 'idle', '--signal', 'begin']);
    const paused = await server.run(['triggers', 'pause', 'held', '--reason', 'stock-taking']);
    expect(paused.stdout).toBe('Trigger held is paused; to resume it: muster triggers resume held.\n');
    expect((await server.run(['triggers', 'list'])).stdout).toMatch(/held +paused .*stock-taking/);
    const ignored = await server.run(['send-signal', 'begin', '--keep', '0s']);
    expect(ignored.stdout).toBe('No job waits for it, and it is not kept\n');
    expect((await server.run(['triggers', 'explain', 'held'])).stdout).toMatch(
      /^It is paused \(stock-taking\): what .*\nTo resume it: .*\nNothing has happened.*\n {2}signal begin\n$/,
    );
    const resumed = await server.run(['triggers', 'resume', 'held', '--json']);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ name: 'held', job: { definition: 'idle' } });
    expect((await server.run(['triggers', 'resume', 'held'])).stdout).toBe('Trigger held is resumed.\n');
    expect((await server.run(['triggers', 'delete', 'held'])).stdout).toBe('Trigger held is gone.\n');
    const gone = await server.run(['triggers', 'get', 'held']);
    expect(gone).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/TRIGGER_NOT_FOUND\n.*muster triggers list/),
    });
  });
});
