/** The log of a replica, in a process whose standard error takes nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';

const module = new URL('../../server/log.ts', import.meta.url).href;
/** For each number N on standard input: logs N lines, and says how many were dropped. */
const logging = `
const { openLog } = await import('${module}');
const { createInterface } = await import('node:readline');
const log = openLog('info');
for await (const text of createInterface({ input: process.stdin })) {
  for (let n = 0; n < Number(text); n++) log.info({ n, filler: 'x'.repeat(900) }, 'a line');
  await new Promise((resolve) => setImmediate(resolve));
  console.log(log.droppedLines());
}
await log.flush();
process.exit(0);`;

function start(stderr: 'pipe' | number) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', logging], { stdio: ['pipe', 'pipe', stderr] });
  const answers = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })[
    Symbol.asyncIterator
  ]();
  return {
    child,
    async log(lines: number): Promise<number> {
      child.stdin?.write(`${lines}\n`);
      return Number((await answers.next()).value);
    },
    async end(): Promise<number | null> {
      child.stdin?.end();
      const [code] = await once(child, 'exit');
      return code;
    },
  };
}

describe('the log of a replica', () => {
  it('drops lines and says so while nobody reads it, and blocks neither the process nor its end', async () => {
    const unread = start('pipe');
    expect(await unread.log(10)).toBe(0);
    const dropped = await unread.log(5_000);
    expect(dropped).toBeGreaterThan(3_000);
    expect(await unread.log(2_000)).toBeGreaterThan(dropped);
    expect(await unread.end()).toBe(0);
  });

  it('continues where it stopped once it is read again, and reports how many lines are missing', async () => {
    const { child, log, end } = start('pipe');
    const dropped = await log(5_000);
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', () => text.includes('lines were dropped') && resolve());
    });
    expect(await log(1)).toBe(dropped);
    expect(await end()).toBe(0);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ msg }) => msg === 'a line').length).toBe(5_001 - dropped);
    expect(lines.find(({ msg }) => msg !== 'a line')).toMatchObject({ lines: dropped });
  });

  it('is written to its last line before the process ends', async () => {
    const { child, log, end } = start('pipe');
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    const closed = once(child, 'close');
    expect(await log(900)).toBe(0);
    expect(await end()).toBe(0);
    await closed;
    expect(JSON.parse(text.trim().split('\n').at(-1) as string)).toMatchObject({ n: 899 });
  });

  it.runIf(process.platform === 'linux')('throws nothing while the disk is full', async () => {
    const full = openSync('/dev/full', 'w');
    const { log, end } = start(full);
    closeSync(full);
    expect(await log(10)).toBe(0);
    expect(await log(5_000)).toBeGreaterThan(3_000);
    expect(await end()).toBe(0);
  });
});
