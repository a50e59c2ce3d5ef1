/** The examples of the guide on limits work, letter by letter, in a shell, and answer what it says. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openShell } from '../support/shell.ts';
import { World } from './api/world.ts';

const guide = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

it('the examples of docs/limits.md answer what it says', async () => {
  const shell = await openShell();
  try {
    const calls = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
    const answers = blocks.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text));
    const script = calls
      .join("\nprintf '\\n=====\\n'\n")
      .replaceAll('http://127.0.0.1:7080', world.replica.httpAddress);
    const printed = (await shell.run(script)).split('\n=====\n');
    expect(calls.length).toBeGreaterThan(7);
    expect(printed.map((text) => JSON.parse(text))).toMatchObject(answers);
  } finally {
    await shell.close();
  }
});
