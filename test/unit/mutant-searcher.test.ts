/** A planted bug that hangs or kills the process that searches for it costs only that process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MAX_SEARCHES, Searcher, SILENCE_MS } from '../simulation/mutants/searcher.ts';

const script = `
process.on('disconnect', () => process.exit());
process.on('message', ({ mutant, seeds }) => {
  if (mutant === 'dies') process.exit(7);
  if (mutant === 'hangs') for (;;);
  if (mutant === 'fails') return process.send({ error: 'its snippet is not there' });
  for (const tried of seeds) process.send({ tried });
  process.send({ found: { seed: seeds[0], text: String(process.pid) } });
});`;

let folder: string;
let searcher: Searcher;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-searcher-'));
  writeFileSync(join(folder, 'search.mjs'), script);
  searcher = new Searcher(join(folder, 'search.mjs'));
});

afterEach(() => {
  vi.useRealTimers();
  searcher.stop();
  rmSync(folder, { recursive: true });
});

const search = (mutant: string) => searcher.search({ mutant, seeds: [1, 2] });

it('the searcher runs a given number of searches per process', async () => {
  const processes: (string | undefined)[] = [];
  for (let n = 0; n <= MAX_SEARCHES; n++) processes.push((await search('quiet'))?.text);
  expect(new Set(processes.slice(0, MAX_SEARCHES)).size).toBe(1);
  expect(processes.at(-1)).not.toBe(processes[0]);
});

it.each([
  ['dies', 'its process ended: 7'],
  ['hangs', `nothing came for ${SILENCE_MS} ms`],
  ['fails', 'its snippet is not there'],
])('the search for a bug that %s fails, and the next one runs in another process', async (mutant, message) => {
  const before = await search('quiet');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const refused = expect(search(mutant)).rejects.toThrow(message);
  if (mutant === 'hangs') vi.advanceTimersByTime(SILENCE_MS);
  await refused;
  const after = await search('quiet');
  expect(after).toMatchObject({ seed: 1 });
  expect(after).not.toEqual(before);
});
