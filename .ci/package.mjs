#!/usr/bin/env node
// Builds the packages as users install them: JavaScript with type declarations, because Node runs no TypeScript below
// node_modules. Only the tarballs stay in the checkout.
//
//   node .ci/package.mjs [folder]     writes muster_jobs-VERSION-py3-none-any.whl,
//                                     muster-jobs-sdk-VERSION.tgz and muster-jobs-VERSION.tgz there; default: here

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { root, tools } from './setup/paths.mjs';

const SOURCE = /\.ts$/;

function readPackage(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}

/** The common fields of both packages; neither has scripts, workspaces or development tools. */
function manifestOf({ name, version, description, license, homepage }, more) {
  return { name, version, description, license, homepage, type: 'module', engines: { node: '>=24' }, ...more };
}

function compile(outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.package.json', '--outDir', outDir], {
    cwd: root,
    stdio: 'inherit',
  });
}

function writeManifest(folder, manifest) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

/** The client and the worker: each entry points to JavaScript and its types. */
function stageSdk(compiled, folder) {
  const source = readPackage('sdk/typescript');
  cpSync(join(compiled, 'sdk/typescript/src'), join(folder, 'src'), { recursive: true });
  cpSync(join(root, 'sdk/typescript/README.md'), join(folder, 'README.md'));
  const built = (path, extension) => path.replace(SOURCE, extension);
  const exports = Object.entries(source.exports).map(([name, path]) => [
    name,
    { types: built(path, '.d.ts'), default: built(path, '.js') },
  ]);
  const { dependencies, peerDependencies } = source;
  writeManifest(folder, manifestOf(source, { exports: Object.fromEntries(exports), dependencies, peerDependencies }));
}

/** Control plane and command; files that are not TypeScript are copied unchanged: migrations, the launcher. */
function stageServer(compiled, folder) {
  const source = readPackage('.');
  const noSource = (path) => statSync(path).isDirectory() || !SOURCE.test(path);
  for (const built of ['server', 'workers/exec'])
    cpSync(join(compiled, built), join(folder, built), { recursive: true, filter: noSource });
  cpSync(join(root, 'server'), join(folder, 'server'), { recursive: true, filter: noSource });
  cpSync(join(root, 'README.md'), join(folder, 'README.md'));
  const sdk = readPackage('sdk/typescript');
  const dependencies = { ...source.dependencies, [sdk.name]: sdk.version };
  writeManifest(folder, manifestOf(source, { bin: source.bin, dependencies }));
}

/** The wheel of the Python SDK, built by the pinned build backend. */
function buildWheel(folder, destination) {
  const python = join(tools, 'venv', 'bin', 'python');
  const args = ['-m', 'hatchling', 'build', '--target', 'wheel', '--directory', folder];
  execFileSync(python, args, { cwd: join(root, 'sdk/python'), stdio: 'pipe' });
  const [wheel] = readdirSync(folder);
  cpSync(join(folder, wheel), join(destination, wheel));
  return join(destination, wheel);
}

function pack(folder, destination) {
  const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', destination];
  return execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }).trim();
}

const destination = resolve(process.argv[2] ?? '.');
const work = mkdtempSync(join(tmpdir(), 'muster-package-'));
try {
  mkdirSync(destination, { recursive: true });
  process.stdout.write(`${buildWheel(join(work, 'wheel'), destination)}\n`);
  compile(join(work, 'compiled'));
  for (const [name, stage] of [
    ['sdk', stageSdk],
    ['muster', stageServer],
  ]) {
    mkdirSync(join(work, name));
    stage(join(work, 'compiled'), join(work, name));

    process.stdout.write(`${join(destination, pack(join(work, name), destination))}\n`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
