/**
 * `muster graph` and `muster timeline` of a real workflow that is wide, skipped, failed, nested, looping, and cleaned
 * up.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const FILE = `
name: inner
workflow: { steps: [{ name: one, definition: add }] }
---
name: drawn
workflow:
  failureMode: run-branches
  steps:
    - { name: each, definition: add, fanOut: { items: "[1, 2, 3]" }, input: '{"a": item, "b": 1}' }
    - { name: sum, definition: add, needs: [each] }
    - { name: never, definition: add, needs: [each], condition: "false" }
    - { name: both, definition: add, needs: [sum, never], triggerRule: none-failed }
    - { name: nested, definition: inner, needs: [each] }
    - name: again
      definition: add
      loop: { repeatCondition: "output < 3", maxIterations: 5 }
      input: '{"a": iteration, "b": 1}'
    - { name: broken, definition: fail }
    - { name: behind, definition: add, needs: [broken] }
    - { name: held, definition: gate, needs: [both, nested, again] }
    - { name: tidy, definition: add, role: finally }
`;

let server: CliServer;
let folder: string;
let jobId: string;
/** The output of `muster watch`. */
let watched: ReturnType<CliServer['start']>;

beforeAll(async () => {
  server = await startCliServer();
  folder = mkdtempSync(join(tmpdir(), 'muster-drawings-'));
  expect((await server.run(['apply', '-f', '-'], { stdin: FILE })).stderr).toBe('');
  jobId = (await server.client.submit('drawn', { a: 1, b: 2 })).jobId;
  watched = server.start(['watch', jobId]);
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const muster = async (...args: string[]) => {
  const { stdout, stderr, code } = await server.run(args);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  return stdout;
};

/** Removes what differs from run to run. */
const plain = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').replaceAll(/ +$/gm, '');

describe('the drawing of a running workflow', () => {
  it('shows every step with its state in the tree, and the overall progress above it', async () => {
    const tree = await eventually('only the held step to run', async () => {
      const shown = await muster('graph', jobId);
      return /1 RUNNING, 1 WAITING/.test(shown) ? shown : undefined;
    });
    const [headline, howFar, ...rows] = plain(tree).trimEnd().split('\n');
    expect(headline).toBe(
      'drawn@1  job ID  WAITING  10 steps: 5 SUCCEEDED, 1 FAILED, 1 UPSTREAM_FAILED, 1 SKIPPED, 1 RUNNING, 1 WAITING',
    );
    expect(howFar).toMatch(/^80 % done, about [\d.]+m?s left$/);
    const shapes = rows.map((row) => row.replaceAll(/ {2,}/g, '  '));
    expect(shapes).toEqual([
      'STEP  STATE  DONE  JOB  REMARK',
      'each  SUCCEEDED  3/3',
      '├─ sum  SUCCEEDED  ID',
      '│  └─ both  SUCCEEDED  ID  needs never too',
      '│  └─ held  RUNNING  ID  needs nested, again too',
      '├─ never  SKIPPED  its condition is false',
      '└─ nested  SUCCEEDED  ID',
      'again  SUCCEEDED  pass 3  ID',
      'broken  FAILED  ID  job ID failed',
      '└─ behind  UPSTREAM_FAILED  a step that it needs failed',
      'tidy (finally)  WAITING',
    ]);
  });

  it('comes with its progress in muster get', async () => {
    expect(await muster('get', jobId)).toMatch(/^ +progress +80 % done, about /m);
    expect(await muster('get', jobId, '--json')).toContain('"jobId"');
  });

  it('has bars from starts to ends, up to now for running steps', async () => {
    const lines = plain(await muster('timeline', jobId)).split('\n');
    expect(lines.filter((line) => / SUCCEEDED .*█| SUCCEEDED .*┠/.test(line))).toHaveLength(5);
    expect(lines.find((line) => line.startsWith('held'))).toMatch(/^held +RUNNING +\+[\d.]+m?s +[\d.]+m?s +█+$/);
  });
});

describe('the drawing of an ended workflow', () => {
  it('follows the progress and the outcome that muster watch printed', async () => {
    server.open();
    const { code, stdout } = await watched.ended;
    expect(code).toBe(10);
    expect(stdout).toMatch(/ WAITING +\d+ % done/);
    expect(stdout).toMatch(/FAILED after [\s\S]*step "broken"/);
  });

  it('shows no estimate in the tree', async () => {
    const tree = await muster('graph', jobId);
    expect(tree).toMatch(/FAILED +10 steps: 7 SUCCEEDED, 1 FAILED, 1 UPSTREAM_FAILED, 1 SKIPPED\nSTEP /);
    expect(tree).not.toContain('% done');
  });

  it('has a node for each step and an arrow for each need in Mermaid', async () => {
    const text = await muster('graph', jobId, '--format', 'mermaid');
    expect(text).toMatch(/^flowchart LR\n/);
    expect(text.match(/^ {2}s\d+\[/gm)).toHaveLength(10);
    expect(text.match(/ --> /g)).toHaveLength(9);
    expect(text).toContain('s0["each<br/>SUCCEEDED<br/>3/3"]:::SUCCEEDED');
  });

  it.each([
    ['graph', 10],
    ['timeline', 8],
  ])('has all parts in the SVG of muster %s, one for each of %i steps', async (command, parts) => {
    const file = join(folder, `${command}.svg`);
    expect(await muster(command, jobId, '--format', 'svg', '--file', file)).toBe('');
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
    expect(text.match(/<g>/g)).toHaveLength(parts);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(await muster(command, jobId, '--format', 'svg')).toContain('</svg>');
  });
});

it('a task has no drawing', async () => {
  const task = await server.client.submit('add', { a: 1, b: 1 });
  for (const command of ['graph', 'timeline']) {
    const { code, stderr } = await server.run([command, task.jobId]);
    expect([code, stderr]).toEqual([4, expect.stringContaining('is a task, made from add: it has no steps')]);
  }
});

describe('the drawing of 10,000 steps', () => {
  it('shows 500 and says so, and is done within seconds', async () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => `    - { name: s${i}, definition: idle }\n`);
    await server.run(['apply', '-f', '-'], { stdin: `name: many\nworkflow:\n  steps:\n${steps.join('')}` });
    const id = (await server.client.submit('many', {})).jobId;
    await eventually('all steps to wait for workers', async () =>
      (await server.client.getWorkflow(id)).runningCount === 10_000 ? true : undefined,
    );
    for (const command of [['graph'], ['timeline'], ['graph', '--format', 'svg'], ['graph', '--format', 'mermaid']]) {
      const { code, stdout, stderr } = await server.run([...command, id]);
      expect([code, stderr]).toEqual([0, expect.stringContaining('500 of 10,000 steps are drawn, those that failed')]);
      expect(stdout.split('\n').length).toBeLessThan(1_600);
    }
    expect(await muster('get', id)).toMatch(/progress +0 % done\n/);
  });
});
