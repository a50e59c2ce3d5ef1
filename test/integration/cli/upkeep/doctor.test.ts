/** `muster doctor`: a healthy deployment, one with warnings, and one that does not work. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { runMuster } from '../../../support/cli/cli.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';
import { freePort } from '../../../support/databases/postgres.ts';

interface Found {
  readonly check: string;
  readonly level: string;
  readonly message: string;
  readonly next: string;
}

let server: CliServer;
let folder: string;
beforeAll(async () => {
  [server, folder] = await Promise.all([startCliServer(), makeScratchFolder()]);
  await server.client.archiveDefinition('idle');
});
afterAll(async () => {
  await server?.stop();
  await removeFolder(folder);
});

async function examine(...args: string[]) {
  const { code, stdout, stderr } = await server.run(['doctor', '--http', server.httpAddress, '--json', ...args], {
    cwd: folder,
  });
  expect(stderr).toBe('');
  const { level, findings } = JSON.parse(stdout) as { level: string; findings: Found[] };
  return { code, level, findings, of: (check: string) => findings.filter((one) => one.check === check) };
}

describe('muster doctor', () => {
  it('finds nothing in a healthy deployment', async () => {
    const { code, findings } = await eventually('a worker is connected', async () => {
      const result = await examine();
      return result.code === 0 && result;
    });
    expect(code).toBe(0);
    expect(findings.filter(({ level }) => !['OK', 'NOTE'].includes(level))).toEqual([]);
    const checks = ['node', 'release', 'database', 'bus', 'clock', 'server', 'workers', 'definitions', 'breakers'];
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(checks));
    const text = await server.run(['doctor', '--http', server.httpAddress], { cwd: folder });
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^ok +node +Node 24[\s\S]*\nAll is well\.\n$/);
  });

  it('names definitions without a worker, with advice', async () => {
    await server.client.applyDefinition({ name: 'orphan' });
    const { code, level, of } = await examine();
    expect([code, level]).toEqual([20, 'WARNING']);
    expect(of('definitions')).toEqual([
      {
        check: 'definitions',
        level: 'WARNING',
        message: 'no worker that takes jobs serves orphan@1',
        next: 'start a worker with a handler of that name, or muster definitions archive NAME',
      },
    ]);
    await server.client.archiveDefinition('orphan');
  });

  it('inspects a data folder', async () => {
    const data = join(folder, '.muster');
    mkdirSync(join(data, 'postgres'), { recursive: true, mode: 0o755 });
    writeFileSync(join(data, 'postgres', 'PG_VERSION'), '18\n');
    const { of } = await examine();
    expect(of('data folder')).toMatchObject([
      { level: 'OK', message: `${data} is not in use` },
      { level: 'WARNING', next: `chmod 700 ${data}` },
    ]);
    expect(of('disk')).toHaveLength(1);
    const named = await examine('--data', 'nowhere');
    expect(named.of('data folder')).toMatchObject([{ level: 'ERROR' }]);
    expect(named.code).toBe(21);
  });

  it('reports an unreachable server with its port and advice', async () => {
    const port = await freePort();
    const { code, stdout } = await runMuster(['doctor', '--server', `127.0.0.1:${port}`], { cwd: folder });
    expect(code).toBe(21);
    expect(stdout).toMatch(/FAIL +server +can't reach Muster at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(stdout).toMatch(/look +http +the HTTP port does not answer at http:\/\/127\.0\.0\.1:\d+/);
    expect(stdout).toMatch(/next {2}--http URL names the HTTP port/);
    expect(stdout).toMatch(/There are errors\.\n$/);
  });

  it('distinguishes another program on the HTTP port from Muster', async () => {
    const { of } = await examine('--http', 'http://127.0.0.1:1');
    expect(of('http')).toMatchObject([{ level: 'WARNING', next: expect.stringContaining('--http URL') }]);
  });
});
