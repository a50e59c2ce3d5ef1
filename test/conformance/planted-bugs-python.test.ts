/** The kit finds faults in the Python worker, too: each that is planted fails the case that is about it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus } from '../../server/conformance/bus.ts';
import { runCases } from '../../server/conformance/run-kit.ts';
import { allCases } from '../../server/conformance/select.ts';
import type { Bug } from './planted/bug.ts';
import { plantInCopy, pythonBugs } from './planted/python.ts';

const WORKER = 'workers/conformance-python/worker.py';
/** What a bug keeps from coming is waited for in vain. */
const PATIENCE_MS = 6_000;

let bus: Bus;

beforeAll(async () => {
  bus = await Bus.start();
});
afterAll(() => bus?.stop());

async function verdictOn(bug: Bug, patienceMs?: number) {
  const copy = plantInCopy(bug);
  try {
    const command = ['env', `PYTHONPATH=${copy.folder}`, 'python', WORKER];
    const cases = allCases.filter(({ name }) => name === bug.fails);
    expect(cases).toHaveLength(1);
    const { signal } = new AbortController();
    const bounds = { parallel: 1, ...(patienceMs ? { patienceMs } : {}) };
    const [result] = await runCases({ command, cases, seed: 1, signal, ...bounds, onResult: () => {} }, bus);
    return result;
  } finally {
    copy.remove();
  }
}

describe.concurrent('a bug that is planted in Python', { concurrent: true }, () => {
  it.each(pythonBugs.map((bug) => [bug.name, bug.fails, bug] as const))('%s: fails %s', async (_name, _fails, bug) => {
    const result = await verdictOn(bug, PATIENCE_MS);
    expect(result).toMatchObject({ verdict: 'failed' });
    // Of the bug, and not of how it was planted.
    expect(result?.words.join('\n')).not.toMatch(/SyntaxError|IndentationError|NameError|ImportError|AttributeError/);
  });
});

it('a copy without a bug passes: it is not the copying that fails', async () => {
  expect(await verdictOn({ name: 'none', fails: 'echo-json', patches: [] })).toMatchObject({ verdict: 'passed' });
});
