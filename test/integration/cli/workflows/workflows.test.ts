/** Workflows in YAML: applied, shown, changed, refused, including the files of docs/workflows.md. */
import { readFileSync } from 'node:fs';
import { type Handlers, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

const guide = readFileSync(new URL('../../../../docs/workflows.md', import.meta.url), 'utf8');
const files = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const [order = ''] = files;

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
});

afterAll(() => server?.stop());

const apply = (stdin: string, ...args: string[]) => server.run(['apply', '-f', '-', ...args], { stdin });

describe('docs/workflows.md', () => {
  it('has example files', () => {
    expect(files).toHaveLength(8);
  });

  it.each(files.map((file, i) => [i + 1, file] as const))(
    'shows file %i, which applies, and the printed definition applies as the same version',
    async (n, file) => {
      const namespace = ['-n', `file-${n}`];
      const { code, stdout, stderr } = await apply(file, ...namespace);
      expect([code, stderr]).toEqual([0, '']);
      for (const [, name] of stdout.matchAll(/^(\S+) {2}version 1 is made$/gm)) {
        const shown = await server.run(['definitions', 'get', name as string, ...namespace]);
        expect((await apply(shown.stdout, ...namespace)).stdout).toBe(`${name}  unchanged, version 1\n`);
      }
    },
  );

  it('describes a change as the command prints it', async () => {
    await apply(order);
    const { stdout } = await apply(order.replace('maxParallel: 10', 'maxParallel: 20'), '--dry-run');
    expect(guide).toContain(`$ muster apply -f order.yaml --dry-run\n${stdout}\`\`\``);
  });
});

const flow = (name: string, ...steps: string[]) =>
  `name: ${name}\nworkflow:\n  steps:\n${steps.map((step) => `    - ${step}\n`).join('')}`;

describe('muster apply', () => {
  it('applies a workflow after the definitions of its steps', async () => {
    const file = [flow('late', '{ name: a, definition: soon }'), 'name: soon\n'].join('---\n');
    const { code, stderr } = await apply(file, '--dry-run');
    expect([code, stderr]).toEqual([0, 'late is checked in full once soon of the files is there\n']);
    expect((await apply(file)).stdout).toBe('soon  version 1 is made\nlate  version 1 is made\n');
    expect((await server.run(['definitions', 'list'])).stdout).toMatch(/^late +1 +workflow /m);
  });

  describe('--dry-run of a workflow and its tasks', () => {
    const task = (name: string, type: string, more = '') =>
      `name: ${name}\ninputJsonSchema: { type: object, properties: { n: { type: ${type} } }, required: [n] }\n${more}`;
    const giving = (name: string, of: string, value: string) =>
      flow(name, `{ name: a, definition: ${of}, input: '{"n": ${value}}' }`);
    const both = (...files: string[]) => files.join('---\n');

    it('leaves open what only the new task accepts, and says so', async () => {
      await apply(both(task('weigh', 'integer'), giving('weighed', 'weigh', '1')));
      const file = both(giving('weighed', 'weigh', '"a"'), task('weigh', 'string'));
      const { code, stdout, stderr } = await apply(file, '--dry-run');
      expect([code, stdout.split('\n')[0]]).toEqual([0, 'weigh  would become version 2']);
      expect(stderr).toBe(
        'weighed is checked in full once weigh of the files is there; as it is now it would be refused:\n' +
          '  stdin, document 1: workflow.steps[0].input: gives string at /n, where the input schema of weigh wants integer\n',
      );
      expect(await apply(file)).toMatchObject({ code: 0, stderr: '' });
    });

    it('says also what only the old task accepts', async () => {
      await apply(both(task('count', 'integer'), giving('counted', 'count', '1')));
      const file = both(task('count', 'string'), giving('counted', 'count', '1'));
      const { code, stdout, stderr } = await apply(file, '--dry-run');
      expect([code, stderr]).toEqual([0, 'counted is checked in full once count of the files is there\n']);
      expect(stdout).toContain('counted  unchanged, version 1\n');
      expect((await apply(file)).code).toBe(2);
    });

    it('says nothing if the steps name a version, or no relevant field changes', async () => {
      await apply(both(task('rate', 'integer'), giving('rated', 'rate', '1')));
      const pinned = flow('pinned', `{ name: a, definition: rate, definitionVersion: 1, input: '{"n": 1}' }`);
      expect(await apply(both(task('rate', 'string'), pinned), '--dry-run')).toMatchObject({ code: 0, stderr: '' });
      const file = both(task('rate', 'integer', 'priority: 5\n'), giving('rated', 'rate', '2'));
      expect(await apply(file, '--dry-run')).toMatchObject({ code: 0, stderr: '' });
    });

    it('refuses what is wrong whatever the other definitions are', async () => {
      await apply(task('sort', 'integer'));
      const { code, stderr } = await apply(both(task('sort', 'string'), giving('sorted', 'sort', '1 +')), '--dry-run');
      expect([code, stderr]).toEqual([2, expect.stringContaining('is no expression of CEL')]);
      const other = await apply(both('name: other\n', giving('sorted', 'sort', '"a"')), '--dry-run');
      expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('wants integer')]);
    });

    it('leaves open tasks that are archived and restored, and compares a self-reference with the stored version only', async () => {
      await apply(task('rest', 'integer'));
      await server.run(['definitions', 'archive', 'rest']);
      const back = await apply(both(task('rest', 'integer'), giving('rested', 'rest', '1')), '--dry-run');
      expect([back.code, back.stderr]).toEqual([0, 'rested is checked in full once rest of the files is there\n']);
      await apply(flow('up', '{ name: a, definition: idle }'));
      await apply(flow('down', '{ name: a, definition: up }'));
      const turned = both(flow('up', '{ name: a, definition: down }'), flow('down', '{ name: a, definition: idle }'));
      const { code, stderr } = await apply(turned, '--dry-run');
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining('up is checked in full once down of the files is there; as it is now'),
      ]);
      expect((await apply(turned)).code).toBe(0);
    });
  });

  it('reports steps that are new, removed and changed', async () => {
    await apply(flow('changing', '{ name: a, definition: idle }', '{ name: b, definition: idle, needs: [a] }'));
    const { stdout } = await apply(
      flow(
        'changing',
        '{ name: b, definition: add }',
        '{ name: c, definition: idle, needs: [b], triggerRule: all-done }',
      ),
    );
    expect(stdout).toContain('- workflow.steps["a"]: {"name":"a","definition":"idle"');
    expect(stdout).toContain('~ workflow.steps["b"].definition: "idle" → "add"');
    expect(stdout).toContain('- workflow.steps["b"].needs: ["a"]');
    expect(stdout).toContain('+ workflow.steps["c"]: {"name":"c","definition":"idle","needs":["b"]');
  });

  it('shows steps briefly, with their needs', async () => {
    await apply(
      flow('brief', '{ name: a, definition: idle }', '{ name: b, definition: idle, needs: [a], role: normal }'),
    );
    const { stdout } = await server.run(['definitions', 'get', 'brief']);
    expect(stdout).toMatch(
      /^# version 1 .*\nname: brief\nworkflow:\n {2}steps:\n {4}- name: a\n {6}definition: idle\n {4}- name: b\n {6}definition: idle\n {6}needs:\n {8}- a\nqueue: default\n/,
    );
  });

  it('reports all errors by file and field', async () => {
    const { code, stderr } = await apply(
      flow('wrong', '{ name: first, definition: idle, needs: [fist] }', '{ name: x, definition: idle, input: "1 +" }'),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('stdin: workflow.steps[0].needs[0]: is no step of this workflow; did you mean first?');
    expect(stderr).toContain('stdin: workflow.steps[1].input: is no expression of CEL');
    const typo = await apply('{ name: wrong, workflow: { steps: [{ name: a, definition: idle, neds: [b] }] } }');
    expect(typo.stderr).toContain('stdin: workflow.steps[0].neds: is no field; did you mean needs?');
  });

  it('reports unknown definitions, and workflows that contain each other', async () => {
    const missing = await apply(flow('orphan', '{ name: a, definition: absent }', '{ name: b, definition: gone }'));
    expect(missing).toMatchObject({ code: 3, stderr: expect.stringMatching(/no job definition absent, gone; .*\n/) });
    const dry = await apply(flow('orphan', '{ name: a, definition: absent }'), '--dry-run');
    expect(dry).toMatchObject({ code: 3, stderr: expect.stringContaining('no job definition absent') });
    await apply(flow('outer', '{ name: a, definition: idle }'));
    await apply(flow('inner', '{ name: a, definition: outer }'));
    const { code, stderr } = await apply(flow('outer', '{ name: a, definition: inner }'));
    expect(code).toBe(4);
    expect(stderr).toContain('outer would be in itself: outer > inner > outer');
    expect(stderr).toContain('muster definitions get NAME shows the steps');
  });
});

describe('the example of docs/workflows.md', () => {
  /** Applies a file, runs its last definition with these handlers, and returns the result. */
  async function result(n: number, input: unknown, handlers: Handlers): Promise<unknown> {
    const namespace = `run-${n}`;
    const { stdout } = await apply(files[n] as string, '-n', namespace);
    const [, name = ''] = stdout.match(/(\S+) {2}(?:version 1 is made|unchanged, version 1)\n$/) ?? [];
    const worker = new Worker({
      address: server.address,
      namespace,
      name: 'runner',
      handlers,
      logger: { log: () => {} },
    });
    const running = worker.run();
    try {
      const args = ['-n', namespace, '--input', JSON.stringify(input), '--wait'];
      const { stdout, stderr, code } = await server.run(['submit', name, ...args]);
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout.slice(stdout.indexOf('\n')));
    } finally {
      await worker.stop();
      await running;
    }
  }

  it('for an order runs', async () => {
    const mails: unknown[] = [];
    const packed: unknown[] = [];
    const handlers = {
      charge: (_: unknown, { cents }: { cents: number }) => ({ receipt: `r-${cents}` }),
      pack: (_: unknown, input: unknown) => void packed.push(input),
      mail: (_: unknown, input: unknown) => void mails.push(input),
    };
    expect(await result(0, { customer: 'ann', cents: 995, lines: ['tea', 'cup'] }, handlers)).toEqual({
      receipt: 'r-995',
    });
    expect(packed).toEqual([
      { line: 'tea', number: 1 },
      { line: 'cup', number: 2 },
    ]);
    expect(mails).toEqual([{ to: 'ann', text: 'receipt r-995' }]);
  });

  it('for a sky survey runs', async () => {
    const handlers = {
      project: (_: unknown, { tile }: { tile: number }) => 10 * tile,
      sum: (_: unknown, tiles: number[]) => tiles.reduce((sum, tile) => sum + tile),
    };
    expect(await result(1, {}, handlers)).toEqual({ sum: 60 });
    const { stdout } = await server.run(['list', '--definition', 'survey', '-n', 'run-1', '--json']);
    const [jobId = ''] = stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/) ?? [];
    const graph = await server.run(['graph', jobId, '-n', 'run-1']);
    expect(graph.stdout).toMatch(/\nproject_1 .*\n└─ sum .* needs project_\* too *\nproject_2 /);
  });

  it('for polling runs', async () => {
    const vote = (_: unknown, input: { who?: string; votes?: string[] }) => input.votes ?? `${input.who} says yes`;
    expect(await result(2, { people: ['ann'] }, { vote })).toEqual({ count: ['ann says yes'] });
  });

  it('for an inspection runs', async () => {
    const calls: string[] = [];
    const handlers = {
      check: (_: unknown, part: string) => {
        if (part === 'bad') throw new Error('it is bad');
      },
      alarm: () => void calls.push('alarm'),
      report: () => void calls.push('report'),
    };
    expect(await result(3, { parts: ['good'] }, handlers)).toEqual({ report: null });
    expect(await result(3, { parts: ['good', 'bad', 'good'] }, handlers)).toEqual({ alarm: null, report: null });
    expect(calls.toSorted()).toEqual(['alarm', 'report', 'report']);
  });

  it('for pages runs', async () => {
    const page = (_: unknown, { from }: { from: number }) => (from < 3 ? { next: from + 1 } : { last: from });
    expect(await result(4, { from: 1 }, { page, tidy: () => null })).toEqual({ fetch: { last: 3 } });
  });

  it('for pages that are translated once runs', async () => {
    const asked: unknown[] = [];
    const handlers = {
      translate: (_: unknown, input: { text: string }) => {
        asked.push(input);
        return `${input.text} (fr)`;
      },
      publish: (_: unknown, text: string) => text,
    };
    for (const user of ['ann', 'bob'])
      expect(await result(6, { text: 'good day', user }, handlers)).toEqual({ publish: 'good day (fr)' });
    expect(asked).toEqual([{ text: 'good day', to: 'fr', asked_by: 'ann' }]);
    const { stdout } = await server.run(['list', '--definition', 'page', '-n', 'run-6', '--json']);
    const [jobId = ''] = stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/) ?? [];
    const shown = async (command: string) =>
      (await server.run([command, jobId, '-n', 'run-6'])).stdout.replaceAll(/ {2,}/g, '  ');
    expect(await shown('graph')).toMatch(/2 steps: 2 SUCCEEDED, 1 of them cached\n/);
    expect(await shown('graph')).toMatch(/\ntranslate {2}SUCCEEDED {2}cached {2}(\S+) {2}cached: result of job \1 *\n/);
    expect(await shown('timeline')).toMatch(/\ntranslate {2}SUCCEEDED {2}\+\S+ {2}cached {2}/);
  });

  it('for a report after a job runs', async () => {
    await apply(files[7] as string, '-n', 'run-7');
    const { stdout } = await server.run(['submit', 'sum-sales', '-n', 'run-7', '--input', '{"day": "mon"}']);
    const [upstream] = stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/) ?? [];
    const days: string[] = [];
    const handlers = {
      'sum-sales': (_: unknown, { day }: { day: string }) => days.push(day),
      'mail-sum': (_: unknown, sum: number) => `mailed ${sum}`,
    };
    expect(await result(7, { day: 'tue', import: upstream }, handlers)).toEqual({ mail: 'mailed 2' });
    expect(days).toEqual(['mon', 'tue']);
    const listed = await server.run(['list', '--definition', 'report', '-n', 'run-7', '--json']);
    const [jobId = ''] = listed.stdout.match(/[0-9a-f]{8}-[0-9a-f-]{27}/) ?? [];
    const graph = await server.run(['graph', jobId, '-n', 'run-7']);
    expect(graph.stdout).toContain(`its job depends on job ${upstream} to succeed`);
  });
});
