/** Each bug planted in the Python worker fails the case that covers it. */
import { describe, expect, it } from 'vitest';
import type { Bug } from './planted/bug.ts';
import { plantInCopy, pythonBugs } from './planted/python.ts';
import { onOneBus } from './support/planted.ts';

const WORKER = 'workers/conformance-python/worker.py';

const run = onOneBus();

async function resultOf(bug: Bug) {
  const copy = plantInCopy(bug);
  try {
    const results = await run(['env', `PYTHONPATH=${copy.folder}`, 'python', WORKER], [bug.fails]);
    expect(results).toHaveLength(1);
    return results[0];
  } finally {
    copy.remove();
  }
}

describe.concurrent('a bug planted in Python', { concurrent: true }, () => {
  it.each(pythonBugs.map((bug) => [bug.name, bug.fails, bug] as const))('%s: fails %s', async (_name, _fails, bug) => {
    const result = await resultOf(bug);
    expect(result).toMatchObject({ verdict: 'failed' });
    // The failure must come from the bug and not from the patch.
    expect(result?.words.join('\n')).not.toMatch(/SyntaxError|IndentationError|NameError|ImportError|AttributeError/);
  });
});

it('a copy of the Python SDK without a bug passes: the copy itself is not what fails', async () => {
  expect(await resultOf({ name: 'none', fails: 'echo-json', patches: [] })).toMatchObject({ verdict: 'passed' });
});
