/** What ends a start before anything is changed. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../server/data-lock.ts';
import { refuseStart } from '../../server/preflight.ts';

let folder: string;
let other: Server;
let taken: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-preflight-'));
  other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  taken = (other.address() as AddressInfo).port;
});

afterAll(() => {
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

const settings = () => ({
  host: '127.0.0.1',
  grpcPort: 0,
  httpPort: 0,
  dataFolder: join(folder, 'new', 'data'),
  postgresUrl: undefined,
  natsUrls: [],
});

describe('refuseStart', () => {
  it.each(['grpc', 'http'] as const)('names a taken %s port and its option', async (name) => {
    const start = refuseStart({ ...settings(), [`${name}Port`]: taken });
    await expect(start).rejects.toThrow(`port ${taken} of 127.0.0.1 is taken by another program: stop it, or choose`);
    await expect(start).rejects.toThrow(`--${name}-port`);
  });

  it('names an address that is not of this machine', async () => {
    const start = refuseStart({ ...settings(), host: '203.0.113.1', grpcPort: 7070 });
    await expect(start).rejects.toThrow(/port 7070 of 203\.0\.113\.1 can't be opened \(EADDRNOTAVAIL\).*--host/);
  });

  it('names a file in the place of the data folder', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const start = refuseStart({ ...settings(), dataFolder: join(file, 'data') });
    await expect(start).rejects.toThrow(`${file} is a file, not a folder: choose another folder with --data`);
  });

  it('names the process that uses the data folder, before its ports', async () => {
    const dataFolder = join(folder, 'locked');
    const unlock = lockDataFolder(dataFolder);
    try {
      const start = refuseStart({ ...settings(), dataFolder, grpcPort: taken });
      await expect(start).rejects.toThrow(`${dataFolder} is in use by process ${process.pid}: stop it`);
    } finally {
      unlock();
    }
  });

  it('leaves nothing behind, and lets everything else start', async () => {
    await refuseStart(settings());
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it('asks nothing of the folder if nothing is embedded', async () => {
    const nowhere = join(folder, 'file', 'data');
    await refuseStart({ ...settings(), dataFolder: nowhere, postgresUrl: 'postgres://db', natsUrls: ['nats://bus'] });
  });
});
