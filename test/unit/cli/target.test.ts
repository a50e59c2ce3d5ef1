/** Which server a command calls, and where contexts are stored. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configFolder, readContexts, writeContexts } from '../../../server/cli/contexts.ts';
import { findTarget } from '../../../server/cli/target.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  file = join(folder, 'contexts.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const contexts = {
  current: 'prod',
  contexts: { prod: { server: 'prod:7070', namespace: 'shop' }, staging: { server: 'staging:7070' } },
};

describe('the target of a command', () => {
  it.each([
    [{}, {}, 'prod:7070', 'shop'],
    [{}, { MUSTER_CONTEXT: 'staging' }, 'staging:7070', ''],
    [{}, { MUSTER_SERVER: 'env:1' }, 'env:1', ''],
    [{ context: 'staging' }, { MUSTER_SERVER: 'env:1' }, 'staging:7070', ''],
    [{ server: 'flag:1' }, { MUSTER_SERVER: 'env:1', MUSTER_CONTEXT: 'staging' }, 'flag:1', ''],
    [{ server: 'flag:1', context: 'prod' }, {}, 'flag:1', 'shop'],
    [{ namespace: 'flag' }, { MUSTER_NAMESPACE: 'env' }, 'prod:7070', 'flag'],
    [{}, { MUSTER_NAMESPACE: 'env' }, 'prod:7070', 'env'],
    [{ server: '[::1]:7070' }, {}, '[::1]:7070', ''],
    [{ server: 'dns:///muster:7070' }, {}, 'dns:///muster:7070', ''],
  ])('with %j and %j is %s, namespace "%s"', async (options, env, server, namespace) => {
    await writeContexts(file, contexts);
    expect(await findTarget(options, { MUSTER_CONFIG: folder, ...env })).toMatchObject({ server, namespace });
  });

  it('is the local server by default', async () => {
    expect(await findTarget({}, { MUSTER_CONFIG: folder })).toMatchObject({ server: '127.0.0.1:7070', namespace: '' });
  });

  it.each(['http://muster:7080', 'muster', 'muster:', 'muster:0', 'muster:70000', 'a b:1', '::1:7070'])(
    'can not be %s',
    async (server) => {
      await expect(findTarget({ server }, { MUSTER_CONFIG: folder })).rejects.toThrow(/^--server: .* HOST:PORT$/);
    },
  );

  it('is refused with a list of the contexts when its context does not exist', async () => {
    await writeContexts(file, contexts);
    await expect(findTarget({ context: 'toString' }, { MUSTER_CONFIG: folder })).rejects.toMatchObject({
      message: expect.stringContaining('no context "toString"'),
      next: 'there are: prod, staging',
      exitCode: 3,
    });
  });

  it('is found without the file of contexts when no context is named', async () => {
    await writeFile(file, 'broken');
    expect(await findTarget({ server: 'flag:1' }, { MUSTER_CONFIG: folder })).toMatchObject({ server: 'flag:1' });
    await expect(findTarget({}, { MUSTER_CONFIG: folder })).rejects.toThrow(/contexts\.json/);
  });
});

describe('the file of contexts', () => {
  it('is readable by its owner only, and is replaced atomically', async () => {
    await writeContexts(file, { contexts: {} });
    await writeContexts(file, contexts);
    expect(await readContexts(file)).toEqual(contexts);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['contexts.json']);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(contexts);
  });

  it.each(['', '[]', '{"contexts": []}', '{"contexts": {"a": {}}}', '{"current": 1}', '{"contexts": {"a": 1}}'])(
    'is refused with its path when it contains %j',
    async (text) => {
      await writeFile(file, text);
      await expect(readContexts(file)).rejects.toThrow(file);
    },
  );

  it.each([
    [{ MUSTER_CONFIG: '/m' }, 'linux', '/m'],
    [{ HOME: '/h' }, 'linux', '/h/.config/muster'],
    [{ HOME: '/h', XDG_CONFIG_HOME: '/x' }, 'linux', '/x/muster'],
    [{ HOME: '/h', XDG_CONFIG_HOME: '/x' }, 'darwin', '/h/Library/Application Support/muster'],
  ])('with %j on %s is %s', (env, platform, expected) => {
    expect(configFolder(env, platform)).toBe(expected);
  });
});
