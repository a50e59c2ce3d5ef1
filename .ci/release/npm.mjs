// The npm packages. Each has JavaScript with type declarations, because Node runs no TypeScript below node_modules.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { names } from '../names.mjs';
import { VERSION as NATS_VERSION } from '../setup/nats-server.mjs';
import { root } from '../setup/paths.mjs';
import { bundleServer, EXTERNAL, NODE } from './bundle.mjs';
import { licensesOf } from './licenses.mjs';
import { nameOf, PLATFORMS } from './platforms.mjs';

const HOME = `https://${names.repository}`;
const TYPESCRIPT = /\.ts$/;

const manifestOfCheckout = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Calls `stage` with an empty folder, packs what it wrote there, and returns the tarball's path. */
async function packed(destination, stage) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-package-'));
  try {
    const { directory, ...staged } = await stage(folder);
    const manifest = { ...staged, license: 'Apache-2.0', author: 'The authors of Muster' };
    const about = {
      homepage: HOME,
      repository: { type: 'git', url: `git+${HOME}.git`, ...(directory && { directory }) },
      bugs: `${HOME}/issues`,
    };
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, ...about }, null, 2)}\n`);
    mkdirSync(destination, { recursive: true });
    const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', destination];
    return join(destination, execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }).trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compiles the SDK and the entry of the control plane; `use` gets the folder with the result. */
async function compiled(use) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-compiled-'));
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, '-p', 'tsconfig.package.json', '--outDir', folder];
    execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The SDK and the command with the control plane. @returns their paths. */
export function packNpm(destination) {
  return compiled(async (built) => [await packSdk(built, destination), await packServer(built, destination)]);
}

/** The client and the worker: each entry points to JavaScript and its types. */
function packSdk(built, destination) {
  return packed(destination, (folder) => {
    const { name, version, description, keywords, exports, dependencies, peerDependencies } =
      manifestOfCheckout('sdk/typescript');
    cpSync(join(built, 'sdk/typescript/src'), join(folder, 'src'), { recursive: true });
    for (const file of ['LICENSE', 'sdk/typescript/README.md'])
      copyFileSync(join(root, file), join(folder, basename(file)));
    const to = (path, extension) => path.replace(TYPESCRIPT, extension);
    const entries = Object.entries(exports).map(([entry, path]) => [
      entry,
      { types: to(path, '.d.ts'), default: to(path, '.js') },
    ]);
    return {
      directory: 'sdk/typescript',
      name,
      version,
      description,
      keywords,
      type: 'module',
      sideEffects: false,
      engines: { node: `>=${NODE}` },
      exports: { ...Object.fromEntries(entries), './package.json': './package.json' },
      dependencies,
      peerDependencies,
    };
  });
}

/** Files that are not TypeScript are copied unchanged: SQL, the reference, the launcher. */
function packServer(built, destination) {
  return packed(destination, async (folder) => {
    const { name, version, description, keywords, bin, dependencies } = manifestOfCheckout('.');
    for (const file of readdirSync(join(root, 'server'), { recursive: true })) {
      const from = join(root, 'server', file);
      if (statSync(from).isFile() && !TYPESCRIPT.test(file)) cpSync(from, join(folder, 'server', file));
    }
    const bundled = await bundleServer(folder);
    writeFileSync(join(folder, 'LICENSES-OF-DEPENDENCIES.txt'), licensesOf(bundled));
    copyFileSync(join(built, 'server/embedded.d.ts'), join(folder, 'server/embedded.d.ts'));
    for (const file of ['LICENSE', 'README.md']) copyFileSync(join(root, file), join(folder, file));
    return {
      name,
      version,
      description,
      keywords,
      type: 'module',
      engines: { node: `>=${NODE}` },
      bin,
      exports: {
        '.': { types: './server/embedded.d.ts', default: './server/embedded.js' },
        './package.json': './package.json',
      },
      dependencies: Object.fromEntries(EXTERNAL.map((external) => [external, dependencies[external]])),
      optionalDependencies: Object.fromEntries(PLATFORMS.map((platform) => [natsPackage(platform), NATS_VERSION])),
    };
  });
}

const natsPackage = (platform) => `${names.scope}/nats-server-${nameOf(platform)}`;

/**
 * nats-server for one platform; npm installs only that of the machine.
 *
 * @param licenses folder with the licences of its modules, if the binary was built here.
 */
export function packNatsServer({ platform, binary, licenses, destination }) {
  return packed(destination, (folder) => {
    mkdirSync(join(folder, 'bin'));
    copyFileSync(binary, join(folder, 'bin/nats-server'));
    chmodSync(join(folder, 'bin/nats-server'), 0o755);
    if (licenses) cpSync(licenses, join(folder, 'licenses'), { recursive: true });
    const description = `The nats-server of Muster for ${nameOf(platform)}`;
    const { os, cpu } = platform;
    return { name: natsPackage(platform), version: NATS_VERSION, description, os: [os], cpu: [cpu] };
  });
}
