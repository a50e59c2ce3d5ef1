/**
 * The terminal examples in docs/cli.md, docs/exec.md, docs/placement.md, docs/rollouts.md, docs/schedules.md, docs/simulate.md and
 * docs/triggers.md run unchanged and print what the guides say, where `…` matches anything. The YAML of guides without such an example is
 * applied.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';
import { runConsoleGuide } from '../../../support/cli/console-guide.ts';
import { coreOf } from '../../../support/run/cases.ts';

let server: CliServer;

beforeEach(async () => {
  server = await startCliServer();
});

afterEach(() => server?.stop());

const guides: readonly (readonly [string, number])[] = [
  ['cli.md', 30],
  ['exec.md', 14],
  ['placement.md', 4],
  ['rollouts.md', 10],
  ['schedules.md', 18],
  ['triggers.md', 15],
  ['simulate.md', 6],
];
it.each(coreOf(guides, 1))(
  'each example of %s prints what the guide says',
  { timeout: 600_000 },
  async (guide, least) => {
    const { count, differences } = await runConsoleGuide(guide, server.address);
    expect(count).toBeGreaterThan(least);
    expect(differences).toEqual([]);
  },
);

const yaml = (guide: string) =>
  [
    ...readFileSync(new URL(`../../../../docs/${guide}`, import.meta.url), 'utf8').matchAll(
      /^```yaml\n([\s\S]*?)^```$/gm,
    ),
  ].map(([, text = '']) => text);

it.each([
  ['placement.md', 'resize', { demands: { memoryGrowth: { factor: 2, max: 8589934592 } } }],
  [
    'submission-rules.md',
    'write-invoice',
    { uniqueness: { fields: ['order.id'], duplicatePolicy: expect.stringContaining('REJECT') } },
  ],
] as const)('the YAML of %s is the definition that the guide shows', async (guide, name, parts) => {
  const [text = '', ...more] = yaml(guide);
  expect(more).toEqual([]);
  const applied = await server.run(['apply', '-f', '-'], { stdin: text });
  expect(applied).toMatchObject({ code: 0, stdout: `${name}  version 1 is made\n` });
  const { stdout } = await server.run(['definitions', 'get', name, '--json']);
  expect(JSON.parse(stdout)).toMatchObject(parts);
});
