/** PgBouncer itself before PostgreSQL: replicas work through it in session mode, and refuse to start in transaction mode. */
import { Client, Worker } from '@muster-jobs/sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../support/base/replica.ts';
import { startMusterProcess } from '../support/cli/cli.ts';
import { makePgBouncer, type PgBouncer } from '../support/databases/pgbouncer.ts';
import { type ScratchPostgres, startPostgres } from '../support/databases/postgres.ts';
import { describeWith, pgbouncer } from '../support/run/toolchains.ts';

describeWith(pgbouncer, 'muster start through PgBouncer', () => {
  let postgres: ScratchPostgres;
  let pooler: PgBouncer;
  let folder: string;
  let muster: ReturnType<typeof startMusterProcess> | undefined;

  beforeEach(async () => {
    [postgres, folder] = await Promise.all([startPostgres(), makeScratchFolder()]);
  });

  afterEach(async () => {
    muster?.child.kill('SIGTERM');
    await muster?.ended;
    await pooler?.stop();
    await postgres?.stop();
    await removeFolder(folder);
  });

  async function start(mode: 'session' | 'transaction'): Promise<ReturnType<typeof startMusterProcess>> {
    pooler = await makePgBouncer(await postgres.createDatabase(), mode);
    await pooler.start();
    return startMusterProcess([
      'start',
      '--postgres',
      pooler.url,
      '--data',
      folder,
      '--grpc-port',
      '0',
      '--http-port',
      '0',
    ]);
  }

  it('in session mode runs jobs, also after PgBouncer was killed and started again', async () => {
    muster = await start('session');
    const { output } = muster;
    const readAddress = () => /gRPC +(\S+)/.exec(output.stdout)?.[1];
    const address = await eventually('it is up', readAddress, { timeoutMs: 60_000 });
    const client = new Client({ address });
    const logger = { log() {} };
    const worker = new Worker({ address, name: 'w', slots: 2, handlers: { echo: async ({ input }) => input }, logger });
    const running = worker.run();
    try {
      await client.applyDefinition({ name: 'echo' });
      expect(await client.result(await client.submit('echo', 1))).toBe(1);
      await pooler.kill();
      await pooler.start();
      expect(await client.result(await client.submit('echo', 2))).toBe(2);
    } finally {
      client.close();
      await worker.stop();
      await running;
    }
  });

  it('in transaction mode ends with the reason', async () => {
    muster = await start('transaction');
    expect((await muster.ended).code).not.toBe(0);
    expect(muster.output.stderr).toMatch(/a pooler in transaction mode .*pool_mode=session/);
  });
});
