/** Commands in a real terminal: bars, a line updated in place, Ctrl-C, widths and colours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';
import { Terminal } from '../../../support/cli/terminal.ts';

let server: CliServer;
let terminal: Terminal;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  server = await startCliServer();
  terminal = await Terminal.open({ width: 80, env: { MUSTER_SERVER: server.address } });
}, 300_000);

afterAll(async () => {
  await terminal?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('muster watch in a terminal', () => {
  it('keeps the job, the cursor and the shell intact at Ctrl-C', async () => {
    const { jobId } = await server.client.submit('idle');
    await terminal.clear();
    await terminal.enter(`muster watch ${jobId}; echo "exit code $?"`);
    await terminal.shows(/READY idle +░+ +0 %/);
    await terminal.press('C-c');
    const { lines, code } = await terminal.finished();
    expect([code, lines.join('').replace('^C', '').trim()]).toEqual([130, '']);
    expect(await terminal.isSane()).toBe(true);
    expect((await server.client.get(jobId)).endTime).toBeUndefined();
  });

  it('updates one line, and replaces it with the outcome of the job', async () => {
    const { jobId } = await server.client.submit('gate');
    await terminal.clear();
    await terminal.enter(`muster watch ${jobId}; echo "exit code $?"`);
    const screen = await terminal.shows(/RUNNING gate +█+░+ +50 % +half of it/);
    expect(screen.match(/gate +[█░]/g)).toHaveLength(1);
    server.open();
    const { lines, code } = await terminal.finished();
    expect(lines[0]).toMatch(new RegExp(`^Job ${jobId} SUCCEEDED after`));
    expect(lines.slice(1)).toEqual(['  {', '    "opened": true', '  }']);
    expect([code, await terminal.isSane()]).toEqual([0, true]);
  });
});

it('a long command draws a bar, and removes it', async () => {
  const file = join(folder, 'many.ndjson');
  await writeFile(file, '{"n": 1}\n'.repeat(5_000));
  await terminal.clear();
  await terminal.enter(
    `muster submit idle --input-file ${file} --each-line --label many=1 >/dev/null; echo "exit code $?"`,
  );
  await terminal.shows(/^submitting +[█░]{24} +\d+ %/m);
  expect(await terminal.finished()).toMatchObject({ code: 0, lines: ['5,000 jobs stored'] });
  await terminal.clear();
  await terminal.enter('muster cancel --label many=1; echo "exit code $?"');
  await terminal.shows(/^cancelling +[█░]{24} +\d+\/5000/m);
  expect(await terminal.finished()).toMatchObject({ code: 0, lines: ['5,000 jobs cancelled or asked to stop'] });
  expect(await terminal.isSane()).toBe(true);
});

describe('a table in a terminal', () => {
  beforeAll(async () => {
    for (let n = 0; n < 3; n++) {
      const { jobId } = await server.client.submit('idle', n, { labels: { wide: '1' }, queue: 'q' });
      await server.client.pause(
        jobId,
        'a reason that has a good deal more to say than one line of a terminal can hold, '.repeat(2),
      );
    }
  });

  it('fits 80 columns, and cuts no id', async () => {
    const { lines } = await terminal.run('muster list --label wide=1');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^JOB +STATE +DEFINITION +AGE +TRIES +REMARK$/);
    for (const line of lines.slice(1)) expect(line).toMatch(/^(?=.{80}$)[0-9a-f-]{36} {2}PAUSED {2}idle@1 .*…$/);
  });

  it('uses a wider terminal', async () => {
    const wide = await Terminal.open({ width: 150, env: { MUSTER_SERVER: server.address } });
    try {
      const { lines } = await wide.run('muster list --label wide=1');
      expect(lines).toHaveLength(4);
      expect(lines[0]).toMatch(/ QUEUE /);
      for (const line of lines.slice(1)) expect([line.length, line.endsWith('…')]).toEqual([150, true]);
    } finally {
      await wide.close();
    }
  });

  it('has colours, and none with NO_COLOR', async () => {
    await terminal.run('muster list --label wide=1');
    expect(await terminal.screen(true)).toContain('\u001b[35mPAUSED');
    await terminal.run('NO_COLOR=1 muster list --label wide=1');
    expect(await terminal.screen(true)).not.toContain('\u001b[');
  });
});

it('errors in a terminal show what to do next', async () => {
  const { lines, code } = await terminal.run('muster submit nothing');
  expect(code).toBe(3);
  expect(lines.join('\n')).toMatch(
    /^muster: .*nothing[\s\S]*reason {2}DEFINITION_NOT_FOUND[\s\S]*next {4}muster definitions list/,
  );
});
