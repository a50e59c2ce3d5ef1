/** Terminal examples of guides whose jobs need a worker of their own: each prints what the guide says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Handlers, stateName, Worker } from '@muster-jobs/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';
import { type GuideSettings, runConsoleGuide } from '../../../support/cli/console-guide.ts';

let server: CliServer;
let folder: string;
let stopWorker: (() => Promise<unknown>) | undefined;

beforeEach(async () => {
  server = await startCliServer();
  folder = mkdtempSync(join(tmpdir(), 'muster-guide-'));
});

afterEach(async () => {
  await stopWorker?.();
  stopWorker = undefined;
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function play(handlers: Handlers): void {
  const worker = new Worker({
    address: server.address,
    name: 'player',
    slots: 100,
    handlers,
    logger: { log: () => {} },
  });
  const running = worker.run();
  stopWorker = () => Promise.all([worker.stop({ timeoutMs: 0 }), running]);
}

const yamlOf = (guide: string) =>
  [
    ...readFileSync(new URL(`../../../../docs/${guide}`, import.meta.url), 'utf8').matchAll(
      /^```yaml\n([\s\S]*?)^```$/gm,
    ),
  ].map(([, text = '']) => text);

async function apply(stdin: string): Promise<void> {
  const { code, stderr } = await server.run(['apply', '-f', '-'], { stdin });
  expect([code, stderr]).toEqual([0, '']);
}

async function submitted(definition: string, input: unknown = {}): Promise<string> {
  return (await server.client.submit(definition, input)).jobId;
}

async function agrees(guide: string, count: number, settings: GuideSettings): Promise<void> {
  const found = await runConsoleGuide(guide, server.address, { cwd: folder, ...settings });
  expect(found.differences).toEqual([]);
  expect(found.count).toBe(count);
}

const LONG = { timeout: 300_000 };

it('the examples of batches.md print what the guide says', LONG, async () => {
  await apply('name: shrink\nretryPolicy: { maxAttempts: 1 }\n---\nname: album\n');
  let isBroken = true;
  const shrink = (_: unknown, { image }: { image: number }) => {
    if (image !== 13 || !isBroken) return;
    isBroken = false;
    throw new Error('not an image');
  };
  play({ shrink, album: () => null });
  const images = Array.from({ length: 30 }, (_, image) => `${JSON.stringify({ image })}\n`);
  writeFileSync(join(folder, 'images.ndjson'), images.join(''));
  await agrees('batches.md', 5, {});
});

it('the examples of dependencies.md print what the guide says', LONG, async () => {
  await apply('name: import-sales\npublishes: [sales]\n---\nname: sum-sales\n---\nname: mail-sum\n---\nname: report\n');
  await apply('name: order\nworkflow: { steps: [{ name: charge, definition: idle }] }\n');
  play({ 'import-sales': () => 42 });
  await agrees('dependencies.md', 7, { variables: { WORKFLOW: await submitted('order') } });
});

it('the examples of waits.md print what the guide says', LONG, async () => {
  const [example = '', inWorkflow = ''] = yamlOf('waits.md');
  await apply(example);
  await apply(inWorkflow);
  const [JOB, OTHER] = [await submitted('sign-off', { order: 'order-7' }), await submitted('sign-off')];
  for (const jobId of [JOB, OTHER])
    await eventually('it waits', async () => stateName((await server.client.get(jobId)).state) === 'WAITING');
  await agrees('waits.md', 4, { variables: { JOB, OTHER } });
});

it('the drawings of workflows.md match the guide', LONG, async () => {
  await apply(yamlOf('workflows.md')[0] as string);
  let packed = 0;
  play({
    charge: () => ({ receipt: 'r-1' }),
    pack: async (context) => {
      packed++;
      if (packed > 3) await delay(1e9, undefined, { signal: context.signal });
    },
  });
  const JOB = await submitted('order', { customer: 'ann', cents: 995, lines: Array.from({ length: 40 }, (_, i) => i) });
  await eventually('13 items have begun', () => packed === 13, { timeoutMs: 60_000 });
  const isRun = (block: string) => /^\$ muster (graph|timeline) \$JOB$/m.test(block);
  await agrees('workflows.md', 3, { variables: { JOB }, isRun });
  expect(readFileSync(join(folder, 'order.svg'), 'utf8')).toMatch(/^<svg/);
});
