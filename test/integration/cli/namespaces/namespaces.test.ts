/** `muster namespaces`, on a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';

let server: CliServer;
beforeAll(async () => {
  server = await startCliServer();
});
afterAll(() => server?.stop());

describe('muster namespaces', () => {
  const ask = (...args: string[]) => server.run(['namespaces', ...args]);

  it('get and update show and set how long ended jobs are kept', async () => {
    expect(await ask('get')).toMatchObject({
      code: 0,
      stdout: 'Namespace default\n  ended jobs are kept  7d\n',
      stderr: '',
    });
    const changed = await ask('update', '--namespace', 'shop', '--retention', '1d12h', '--json');
    expect(JSON.parse(changed.stdout)).toEqual({ name: 'shop', retention: '129600s' });
    expect((await ask('get', '-n', 'shop', '--json')).stdout).toBe(changed.stdout);
    const back = await ask('update', '-n', 'shop', '--default-retention', '--json');
    expect(JSON.parse(back.stdout)).toEqual({ name: 'shop', retention: '604800s' });
  });

  it('explain invalid input', async () => {
    expect(await ask('update')).toMatchObject({ code: 2, stderr: expect.stringContaining('--retention') });
    expect(await ask('update', '--retention', 'long')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2d'),
    });
    expect(await ask('update', '--retention', '5000d')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('namespace.retention'),
    });
  });
});
