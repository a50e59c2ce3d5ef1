/** Runs the examples of a guide letter by letter in a shell: its blocks of `sh`, whose answers its blocks of `json` are. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { openShell } from '../support/shell.ts';
import type { World } from './api/world.ts';

/** `least` is how many examples there must be. */
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
