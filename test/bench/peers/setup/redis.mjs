// redis-server: the one on the PATH, or else Debian's packages, unpacked without installation, which needs no root.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../../../../.ci/setup/paths.mjs';
import { run } from '../../../../.ci/setup/run.mjs';
import { tools } from './places.mjs';

const SECONDS = 300;
const folder = join(tools, 'redis');
// redis-tools contains the program of redis-server too.
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'];

export const redis = {
  what: 'redis-server',
  isReady: () =>
    findOnPath('redis-server') !== undefined || findOnPath('redis-server', join(folder, 'usr/bin')) !== undefined,
  async bring() {
    for (const program of ['apt-get', 'dpkg-deb'])
      if (findOnPath(program) === undefined)
        throw new Error(`there is no redis-server on the PATH, and no ${program} to get one with: put one on the PATH`);
    const [lists, archives, debs] = ['lists', 'archives', 'debs'].map((name) => join(tools, 'apt', name));
    for (const path of [join(lists, 'partial'), join(archives, 'partial'), debs]) mkdirSync(path, { recursive: true });
    // Package lists and downloads in folders of this checkout.
    const settings = [`Dir::State::Lists=${lists}`, `Dir::Cache=${join(tools, 'apt')}`, 'APT::Sandbox::User='];
    const options = settings.flatMap((setting) => ['-o', setting]);
    await run('apt-get', [...options, 'update'], { seconds: SECONDS });
    await run('apt-get', [...options, 'download', ...PACKAGES], { seconds: SECONDS, cwd: debs });
    for (const name of readdirSync(debs)) await run('dpkg-deb', ['-x', join(debs, name), folder], { seconds: 60 });
    rmSync(join(tools, 'apt'), { recursive: true });
  },
};
