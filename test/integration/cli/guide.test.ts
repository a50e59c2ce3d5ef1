/** The examples for a terminal in docs/cli.md, docs/exec.md, docs/placement.md and docs/simulate.md work, letter by letter, and print what the guides say; `…` is anything. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../support/cli-server.ts';
import { runConsoleGuide } from '../../support/console-guide.ts';

let server: CliServer;

beforeEach(async () => {
  server = await startCliServer();
});

afterEach(() => server?.stop());

it.each([
  ['cli.md', 30],
  ['exec.md', 14],
  ['placement.md', 4],
  ['simulate.md', 6],
])('each example of %s prints what the guide says', { timeout: 600_000 }, async (guide, least) => {
  const { count, differences } = await runConsoleGuide(guide, server.address);
  expect(count).toBeGreaterThan(least);
  expect(differences).toEqual([]);
});
