/** `muster apply` and `muster definitions`, as processes against a real server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  server = await startCliServer();
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const apply = (stdin: string, ...args: string[]) => server.run(['apply', '-f', '-', ...args], { stdin });

describe('muster apply', () => {
  it('creates the definitions of several files, each once', async () => {
    const files = [join(folder, 'a.yaml'), join(folder, 'b.json')] as const;
    await writeFile(files[0], 'name: one\n---\nname: two\nqueue: mails\n');
    await writeFile(files[1], '[{"name": "three", "priority": 3}]');
    const args = ['apply', '-f', files[0], '-f', files[1]];
    const made = 'one  version 1 is made\ntwo  version 1 is made\nthree  version 1 is made\n';
    expect(await server.run(args)).toMatchObject({ code: 0, stdout: made, stderr: '' });
    expect((await server.run(args)).stdout).toBe(made.replaceAll('version 1 is made', 'unchanged, version 1'));
  });

  it('shows changes with --dry-run, and makes none', async () => {
    await apply('{ name: dry, priority: 1, inputJsonSchema: { type: object } }');
    const wanted = '{ name: dry, queue: other, priority: 2, inputJsonSchema: { type: object, required: [to] } }';
    const { code, stdout } = await apply(wanted, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^dry {2}would become version 2\n/);
    expect(stdout).toContain('~ priority: 1 → 2');
    expect(stdout).toContain('~ queue: "default" → "other"');
    expect(stdout).toMatch(/! .*queue/);
    expect((await server.client.getDefinition('dry')).version).toBe(1);
    const lines = (await apply(wanted, '--dry-run', '--json')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { definition: { version: 2 }, differences: expect.any(Array) },
    ]);
  });

  it('refuses unknown fields with file, document and field, and applies nothing', async () => {
    const { code, stdout, stderr } = await apply(
      'name: fine\n---\nname: bad\nretryPolicy: { maxAtempts: 3 }\npriority: high\n',
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('stdin, document 2: retryPolicy.maxAtempts: is no field; did you mean maxAttempts?');
    expect(stderr).toContain('stdin, document 2: priority: ');
    await expect(server.client.getDefinition('fine')).rejects.toMatchObject({ reason: 'DEFINITION_NOT_FOUND' });
  });

  it('reports what the server refuses by file, document and field, and what was applied before', async () => {
    const { code, stdout, stderr } = await apply('name: first\n---\nname: second\npriority: 101\n');
    expect([code, stdout]).toEqual([2, 'first  version 1 is made\n']);
    expect(stderr).toContain('stdin, document 2: priority: ');
    expect(stderr).toContain('The 1 before it in the files is applied.');
  });

  it('says what is wrong with the file itself', async () => {
    expect(await server.run(['apply', '-f', join(folder, 'absent')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ENOENT'),
    });
    expect(await apply('')).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin holds no document') });
    expect(await server.run(['apply'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--file') });
  });

  it('uses the given namespace', async () => {
    await apply('name: apart', '-n', 'other');
    expect((await server.run(['definitions', 'get', 'apart', '-n', 'other'])).code).toBe(0);
    expect((await server.run(['definitions', 'get', 'apart'])).code).toBe(3);
  });
});

describe('muster definitions', () => {
  it('prints YAML that applies as the same version', async () => {
    await apply(
      '{ name: round, runTimeout: 90s, retryPolicy: { maxAttempts: 4, rules: [{ types: [A], action: fail }] }, inputJsonSchema: { type: object } }',
    );
    const { stdout } = await server.run(['definitions', 'get', 'round@1']);
    expect(stdout).toContain('runTimeout: 90s');
    expect(stdout).toContain('inputJsonSchema:\n  type: object');
    expect((await apply(stdout)).stdout).toBe('round  unchanged, version 1\n');
  });

  it.each([
    [
      'uniqueness',
      '{ fields: [order.id], period: 1h, states: [blocked, scheduled, ready, assigned, running], duplicatePolicy: reject }',
    ],
    ['uniqueness', '{ byInput: true, byQueue: true }'],
    ['debounce', '{ fields: [user], wait: 5s, maxWait: 1m }'],
    ['throttle', '{ period: 1d, duplicatePolicy: use-existing }'],
  ])('prints a %s of %s as it was written', async (rule, text) => {
    const name = `${rule}-${text.length}`;
    expect((await apply(`{ name: ${name}, ${rule}: ${text} }`)).stdout).toBe(`${name}  version 1 is made\n`);
    const { stdout } = await server.run(['definitions', 'get', name]);
    expect(stdout).toMatch(new RegExp(`^${rule}:$`, 'm'));
    expect((await apply(stdout)).stdout).toBe(`${name}  unchanged, version 1\n`);
  });

  it('explains a refused duplicate', async () => {
    await apply('{ name: one-of-it, uniqueness: { duplicatePolicy: reject } }');
    const { stdout } = await server.run(['submit', 'one-of-it']);
    const [jobId] = /[0-9a-f-]{36}/.exec(stdout) ?? [];
    const refused = await server.run(['submit', 'one-of-it']);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/DUPLICATE_JOB\n.*muster get JOB/) });
    expect(refused.stderr).toContain(jobId);
    await apply('{ name: one-an-hour, throttle: { period: 1h, duplicatePolicy: reject } }');
    await server.run(['submit', 'one-an-hour']);
    expect((await server.run(['submit', 'one-an-hour'])).stderr).toMatch(/THROTTLED/);
  });

  it('prints limits and keys as they were applied', async () => {
    const limits =
      '{ name: limited, fairnessKey: input.tenant, maxConcurrency: 5, rateLimit: { units: 100, period: 1m, burst: 20 }, rateCost: 3, keyLimit: { key: input.tenant, maxConcurrency: 1, policy: reject-new, rateLimit: { units: 2 } } }';
    expect((await apply(limits)).stdout).toBe('limited  version 1 is made\n');
    const { stdout } = await server.run(['definitions', 'get', 'limited']);
    expect(stdout).toContain('fairnessKey: input.tenant\nmaxConcurrency: 5\nrateLimit:\n  units: 100\n  period: 60s\n');
    expect(stdout).toContain(
      'rateCost: 3\nkeyLimit:\n  key: input.tenant\n  maxConcurrency: 1\n  policy: LIMIT_POLICY_REJECT_NEW\n',
    );
    expect((await apply(stdout)).stdout).toBe('limited  unchanged, version 1\n');
    const none = await apply('{ name: limited, keyLimit: { key: input.tenant } }');
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin: key_limit: limits nothing') });
    const bad = await apply('{ name: limited, fairnessKey: "tenant" }');
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin: fairness_key: names tenant') });
  });

  it('lists, archives and restores', async () => {
    await apply('name: old');
    expect((await server.run(['definitions', 'archive', 'old'])).stdout).toBe('old takes no new jobs\n');
    expect((await server.run(['definitions', 'list'])).stdout).not.toMatch(/^old /m);
    expect((await server.run(['definitions', 'list', '--archived'])).stdout).toMatch(/^old +1 /m);
    const refused = await server.run(['submit', 'old']);
    expect(refused).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/DEFINITION_ARCHIVED[\s\S]*apply the definition again/),
    });
    await apply('name: old');
    expect((await server.run(['definitions', 'list', '--json'])).stdout).toContain('"name":"old"');
  });
});
