// Python: a virtual environment with the SDK and its dependencies, and another with the tools of the checks and tests.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, readStamp, root, tools, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

const OLDEST = '3.10';
const INSTALL_SECONDS = 900;
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

export const pythonSdk = environment({
  name: 'venv',
  label: 'the Python SDK',
  requirements: 'sdk/python/requirements.lock',
  project: 'sdk/python',
});

/** Separate from the SDK's: the code generator is older than the protobuf runtime there, so that its code runs on both. */
export const pythonTools = environment({
  name: 'python-tools',
  label: 'the Python tools of the checks and tests',
  requirements: '.ci/python-tools.txt',
});

function environment({ name, label, requirements, project }) {
  const folder = join(tools, name);
  const python = join(folder, 'bin', 'python');
  const requirementsFile = join(root, requirements);
  const projectFile = project === undefined ? undefined : join(root, project, 'pyproject.toml');
  const sources = [requirementsFile, projectFile].filter((file) => file !== undefined && existsSync(file));

  return {
    isReady() {
      return sources.length === 0 || (existsSync(python) && readStamp(name) === digest(sources));
    },

    async bring() {
      say(`installing ${label} into .tools/${name}`);
      if (!existsSync(python)) await create(folder);
      if (sources.includes(requirementsFile)) await pip(python, ['-r', requirementsFile]);
      // The pinned build backend builds it: isolated from these packages, pip would fetch whichever is the newest.
      const flags = ['--no-deps', '--no-build-isolation', '--editable'];
      if (sources.includes(projectFile)) await pip(python, [...flags, join(root, project)]);
      writeStamp(name, digest(sources));
    },
  };
}

function pip(python, args) {
  const options = ['--no-input', '--disable-pip-version-check', '--quiet'];
  return run(python, ['-m', 'pip', 'install', ...options, ...args], { seconds: INSTALL_SECONDS });
}

async function create(folder) {
  const python = await findPython();
  rmSync(folder, { recursive: true, force: true });
  try {
    await run(python, ['-m', 'venv', folder], { seconds: 120 });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      `${error.message}\nPython's venv module is needed; on Debian and Ubuntu: apt-get install python3-venv`,
    );
  }
}

/** The first Python on the PATH that is recent enough. */
async function findPython() {
  const isRecent = `import sys; sys.exit(sys.version_info < (${OLDEST.replace('.', ', ')}))`;
  for (const candidate of NAMES.map((name) => findOnPath(name)).filter((path) => path !== undefined)) {
    const works = await run(candidate, ['-c', isRecent], { seconds: 30 }).then(
      () => true,
      () => false,
    );
    if (works) return candidate;
  }
  throw new Error(`Python ${OLDEST} or later is needed, and none is on the PATH`);
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}
