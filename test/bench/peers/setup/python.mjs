// A virtual environment with the peers in Python.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../../../../.ci/setup/paths.mjs';
import { run } from '../../../../.ci/setup/run.mjs';
import { here, stamp, tools } from './places.mjs';

const SECONDS = 900;
const folder = join(tools, 'venv');
const interpreter = join(folder, 'bin/python');
const requirements = 'adapters/python/requirements.lock';
const current = stamp('python', requirements);

export const python = {
  what: 'Celery and Procrastinate (pip install)',
  isReady: () => current.isCurrent() && existsSync(interpreter),
  async bring() {
    const system = findOnPath('python3');
    if (system === undefined) throw new Error('there is no python3 on the PATH');
    if (!existsSync(interpreter)) await run(system, ['-m', 'venv', folder], { seconds: SECONDS });
    const options = ['--no-input', '--disable-pip-version-check', '--quiet', '-r', join(here, requirements)];
    await run(interpreter, ['-m', 'pip', 'install', ...options], { seconds: SECONDS });
    current.write();
  },
};
