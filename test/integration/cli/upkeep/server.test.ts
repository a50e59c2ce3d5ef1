/** `muster server`: its requirements, refusals and warnings, and a job through its replica. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type ScratchNats, startNats } from '../../../support/base/nats.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { runMuster, runMusterProcess, startMusterProcess } from '../../../support/cli/cli.ts';
import { freePort, type ScratchPostgres, startPostgres } from '../../../support/databases/postgres.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { commandsWith } from '../../demo/run-demo.ts';

let folder: string;
beforeAll(async () => {
  folder = await makeScratchFolder();
});
afterAll(() => removeFolder(folder));

/** Runs until the log has a line with `msg`, and returns the log until then. */
async function logOf(args: string[], msg: string, env: Record<string, string> = {}) {
  const muster = startMusterProcess(['server', ...args], { env });
  const lines = () =>
    muster.output.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  try {
    await eventually(`muster server logs "${msg}"`, () => lines().some((line) => line.msg === msg), {
      timeoutMs: 60_000,
    });
  } catch (error) {
    muster.child.kill('SIGKILL');
    throw new Error(`${error}: ${muster.output.stdout}${muster.output.stderr}`);
  }
  return { ...muster, lines };
}

describe('muster server', () => {
  let postgres: ScratchPostgres;
  let nats: ScratchNats;
  beforeAll(async () => {
    [postgres, nats] = await Promise.all([startPostgres(), startNats()]);
  });
  afterAll(() => Promise.all([postgres?.stop(), nats?.stop()]));

  it('takes all settings from the environment, runs a job, logs JSON, and exits with 0 on SIGTERM', async () => {
    const urlFile = join(folder, 'postgres-url');
    writeFileSync(urlFile, `${await postgres.createDatabase()}\n`, { mode: 0o600 });
    const env = {
      MUSTER_POSTGRES_FILE: urlFile,
      MUSTER_NATS: nats.url,
      MUSTER_NATS_CREDENTIALS: nats.credentialsFile,
      MUSTER_NATS_SIGNING_SEED: nats.signingSeedFile,
      MUSTER_GRPC_PORT: '0',
      MUSTER_HTTP_PORT: '0',
      MUSTER_HTTP_HOSTS: 'a.example.com, b.example.com',
      MUSTER_LOG_LEVEL: '',
    };
    const muster = await logOf([], 'serves', env);
    const serves = muster.lines().find((line) => line.msg === 'serves');
    const address = serves.grpcAddress as string;
    const worker = new Worker({
      address,
      name: 'w',
      handlers: { add: (_ctx, { a, b }) => a + b },
      logger: { log() {} },
    });
    const running = worker.run();
    const client = new Client({ address });
    try {
      await client.applyDefinition({ name: 'add' });
      expect(await client.result(await client.submit('add', { a: 2, b: 3 }))).toBe(5);
    } finally {
      client.close();
      await worker.stop();
      await running;
      muster.child.kill('SIGTERM');
    }
    const { code, stdout, stderr } = await muster.ended;
    expect(code).toBe(0);
    expect(stdout).toBe('');
    for (const line of stderr.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(muster.lines().map((line) => line.msg)).toEqual(
      expect.arrayContaining(['serves', 'stops: no new calls; calls in progress finish', 'stopped']),
    );
    expect(muster.lines().filter((line) => line.level >= 40)).toEqual([]);
  });

  it.runIf(runsAll)('warns of open access, and prints no secret', async () => {
    const url = (await postgres.createDatabase()).replace('muster@', 'muster:top-secret@');
    const nobody = `nats://127.0.0.1:${await freePort()}`;
    const args = ['--host', '0.0.0.0', '--postgres', url, '--nats', nats.url, '--nats', nobody];
    const muster = await logOf(
      [...args, '--nats-credentials', nats.credentialsFile, '--grpc-port', '0', '--http-port', '0'],
      'serves',
    );
    muster.child.kill('SIGTERM');
    const { code, stderr } = await muster.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/listens on 0\.0\.0\.0 without authentication or TLS of its own/);
    expect(stderr).toMatch(/the password of --postgres is visible to everybody on this machine: use --postgres-file/);
    expect(stderr).not.toContain('top-secret');
  });

  it.runIf(runsAll)('forgets the database and starts again in the same process once that was restored', async () => {
    const urlFile = join(folder, 'restored-url');
    writeFileSync(urlFile, `${await postgres.createDatabase()}\n`, { mode: 0o600 });
    const port = String(await freePort());
    const args = ['--postgres-file', urlFile, '--nats', nats.url, '--nats-credentials', nats.credentialsFile];
    const muster = await logOf([...args, '--grpc-port', port, '--http-port', '0'], 'serves');
    const client = new Client({ address: `127.0.0.1:${port}` });
    try {
      await client.applyDefinition({ name: 'before' });
      await postgres.restartAsRestored();
      await eventually('it serves again', () => muster.lines().filter(({ msg }) => msg === 'serves').length === 2, {
        timeoutMs: 60_000,
      });
      const { problem } = muster.lines().find(({ msg }) => msg.startsWith('forgets all that it knows'));
      expect(problem).toMatch(/another history .*a standby was promoted, or a backup was restored/);
      await client.submit('before', {});
    } finally {
      client.close();
      muster.child.kill('SIGTERM');
    }
    expect((await muster.ended).code).toBe(0);
  });
});

describe('muster server with invalid settings', () => {
  const remote = ['--postgres', 'postgres://db.example.com/muster'];

  it.each([
    [[], /needs --postgres \(or .*MUSTER_POSTGRES_FILE\) and --nats \(or MUSTER_NATS\)/],
    [remote, /needs --nats \(or MUSTER_NATS\)\n.*muster start/],
    [['--data', 'x'], /unknown option '--data'/],
    [[...remote, '--nats', 'nats://bus.example.com'], /asks for no credentials.*\n.*--insecure starts without/],
    [['--postgres', 'mysql://db', '--nats', 'nats://b'], /--postgres: must begin with postgres:\/\//],
    [[...remote, '--nats', 'n', '--lease-ms', '100'], /--lease-ms: must be at least three times beatMs/],
    [[...remote, '--nats', 'n', '--http-host', 'a:b'], /--http-host: must be a host name without a port/],
    [[...remote, '--postgres-file', '/x'], /either --postgres or --postgres-file/],
    [['--postgres-file', '/nowhere', '--nats', 'n'], /--postgres-file: ENOENT/],
    [['--grpc-port', '70000'], /'--grpc-port <port>' argument '70000' is invalid.*from 0 to 65535/],
    [['--log-level', 'loud'], /Allowed choices are debug, info, warn, error, silent/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr, stdout } = await runMuster(['server', ...args], { cwd: folder });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('refuses an invalid variable by its name', async () => {
    const { code, stderr } = await runMusterProcess(['server'], { env: { MUSTER_GRPC_PORT: 'many' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/value 'many' from env 'MUSTER_GRPC_PORT' is invalid/);
  });

  it('refuses a file without a URL, and does not show its contents', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'hunter2\n');
    const { code, stderr } = await runMuster(['server', '--postgres-file', file, '--nats', 'n']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/does not hold one URL that begins with postgres:\/\//);
    expect(stderr).not.toContain('hunter2');
  });

  it('exits without its database, with the reason in its log', async () => {
    const url = `postgres://muster:top-secret@127.0.0.1:${await freePort()}/muster?connect_timeout=1`;
    const muster = await logOf(['--postgres', url, '--nats', 'nats://127.0.0.1:1'], 'ends: it cannot continue');
    expect((await muster.ended).code).toBe(1);
    expect(muster.lines().at(-1).problem).toMatch(/PostgreSQL can't be used.*ECONNREFUSED/);
    expect(muster.output.stderr).not.toContain('top-secret');
  });
});

describe('muster start', () => {
  it.runIf(runsAll)('takes its settings from the environment too, after the options', async () => {
    const data = join(folder, 'data');
    const typed = ['--grpc-port', '0', '--log-level', 'warn'];
    const muster = startMusterProcess(['start', ...typed], {
      cwd: folder,
      env: { MUSTER_GRPC_PORT: '1', MUSTER_HTTP_PORT: '0', MUSTER_DATA: data },
    });
    try {
      await eventually('it is up', () => muster.output.stdout.includes(' is up.'), { timeoutMs: 60_000 });
      expect(muster.output.stdout).toContain(`embedded, in ${data}/postgres`);
      expect(muster.output.stdout).not.toMatch(/gRPC\s+127.0.0.1:1\s/);
      const other = await runMusterProcess(['start', '--data', data, ...typed, '--http-port', '0']);
      expect(other.code).toBe(1);
      expect(other.stderr).toMatch(
        /muster: .* is in use by process \d+: stop it, or choose another folder with --data/,
      );
    } finally {
      muster.child.kill('SIGTERM');
      expect((await muster.ended).code).toBe(0);
    }
  });

  it.runIf(runsAll)(
    'exits with its bus when its embedded database has ended, so that a supervisor restarts it',
    async () => {
      const data = join(folder, 'lost');
      const killer = fileURLToPath(new URL('../../../support/databases/database-thread-killer.mjs', import.meta.url));
      const args = ['start', '--data', data, '--grpc-port', '0', '--http-port', '0'];
      const muster = startMusterProcess(args, { env: { NODE_OPTIONS: `--import=${killer}` } });
      await eventually('it is up', () => muster.output.stdout.includes(' is up.'), { timeoutMs: 60_000 });
      muster.child.kill('SIGUSR2');
      const { code, stderr } = await muster.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /muster: the embedded database has ended: its thread has stopped\n +next +start it again: acknowledged data is kept/,
      );
      expect(commandsWith(data)).toEqual([]);
      const again = startMusterProcess(args);
      await eventually('it is up again', () => again.output.stdout.includes(' is up.'), { timeoutMs: 60_000 });
      again.child.kill('SIGTERM');
      expect((await again.ended).code).toBe(0);
    },
  );
});
