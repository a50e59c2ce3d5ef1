// The npm packages of the peers, from the lock file of this folder.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../../.ci/setup/run.mjs';
import { here, stamp } from './places.mjs';

const SECONDS = 900;
const current = stamp('packages', 'package-lock.json');

export const packages = {
  what: 'npm packages (npm ci)',
  isReady: () => current.isCurrent() && existsSync(join(here, 'node_modules')),
  async bring() {
    // Without the settings of paths from an npm that runs this script.
    const env = {
      npm_config_prefix: undefined,
      npm_config_local_prefix: undefined,
      npm_config_global_prefix: undefined,
    };
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { seconds: SECONDS, cwd: here, env });
    current.write();
  },
};
