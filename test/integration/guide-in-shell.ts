/** Runs the examples of a guide unchanged in a shell: its `sh` blocks, whose answers are its `json` blocks. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { openShell } from '../support/cli/shell.ts';
import type { World } from './api/base/world.ts';

/** `least` is the minimum number of examples. */
export async function expectAnswers(world: World, guide: string, least: number): Promise<void> {
  const text = readFileSync(new URL(`../../docs/${guide}`, import.meta.url), 'utf8');
  const blocks = (language: string) =>
    [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, block = '']) =>
      of === language ? [block] : [],
    );
  const calls = blocks('sh');
  const script = calls.join("\nprintf '\\n=====\\n'\n").replaceAll('http://127.0.0.1:7080', world.replica.httpAddress);
  const shell = await openShell();
  try {
    const printed = (await shell.run(script)).split('\n=====\n');
    expect(calls.length).toBeGreaterThanOrEqual(least);
    expect(printed.map((answer) => JSON.parse(answer))).toMatchObject(
      blocks('json').map((answer) => JSON.parse(answer)),
    );
  } finally {
    await shell.close();
  }
}
