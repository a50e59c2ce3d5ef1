/** The lock on an embedded data folder, between real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder, ownerOf } from '../../server/data-lock.ts';

const module = new URL('../../server/data-lock.ts', import.meta.url).href;
/** Waits for a line, tries once, says how it went, and keeps what it has got. */
const starter = `
const { lockDataFolder } = await import('${module}');
process.stdin.once('data', () => {
  try { lockDataFolder(process.argv[1]); console.log('held'); } catch (error) { console.log(error.message); }
  setInterval(() => {}, 1e6);
});
console.log('ready');`;

let folder: string;
const children = new Set<ChildProcess>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-lock-'));
});
afterEach(async () => {
  for (const child of children) await end(child);
  rmSync(folder, { recursive: true });
});

/** A process, with its next line of output. */
async function start() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', starter, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string;
  expect(await next()).toBe('ready');
  return { child, next, attempt: () => void child.stdin.write('\n') };
}

async function end(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('the lock on a data folder', () => {
  it('is got by one of eight processes that start at the same time, and by another one once that is killed', async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, start));
    for (const { attempt } of processes) attempt();
    const results = await Promise.all(processes.map(({ next }) => next()));
    const held = results.indexOf('held');
    const owner = processes[held]?.child as ChildProcess;
    const refusal = `${folder} is in use by process ${owner.pid}: stop it, or choose another folder with --data`;
    expect(results.toSpliced(held, 1)).toEqual(Array.from({ length: 7 }, () => refusal));
    expect(ownerOf(folder)).toBe(`process ${owner.pid}`);
    await end(owner);
    expect(ownerOf(folder)).toBeUndefined();
    const next = await start();
    next.attempt();
    expect(await next.next()).toBe('held');
  });

  it('is not created by a search for its owner', () => {
    expect(ownerOf(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('excludes a second user in the same process, and is free again after its release', () => {
    const release = lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow(`is in use by process ${process.pid}: stop it`);
    release();
    lockDataFolder(folder)();
  });
});
