#!/usr/bin/env node
// Builds and publishes a release.
//
//   node .ci/release.mjs --dry-run [--into FOLDER] [--this-platform]
//       builds everything into the folder (default: dist), and publishes it to registries that run on this machine
//   node .ci/release.mjs [--into FOLDER]
//       publishes it for good: npm, PyPI, crates.io, and a tag for Go; says what is left to do by hand
//
// Its credentials are those of the tools: npm's login, TWINE_USERNAME and TWINE_PASSWORD, CARGO_REGISTRY_TOKEN.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { names } from './names.mjs';
import { buildRelease } from './release/build.mjs';
import { goTag } from './release/go.mjs';
import { lintPackages } from './release/lint.mjs';
import { PLATFORMS, thisPlatform } from './release/platforms.mjs';
import { publishNpm, publishPython } from './release/publish.mjs';
import { cargoIndex, npmRegistry, pythonIndex } from './release/registries.mjs';
import { publishRust } from './release/rust.mjs';
import { version, versionProblems } from './release/version.mjs';
import { root } from './setup/paths.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

function problems(isDryRun) {
  const found = versionProblems();
  if (isDryRun) return found;
  if (!names.confirmed) found.push('.ci/names.json is not confirmed: register the names, then set "confirmed": true');
  if (git('status', '--porcelain') !== '') found.push('the checkout has changes: commit them');
  return found;
}

/** Publishes to registries of this machine; nothing of it remains. */
async function rehearse(release) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-registries-'));
  const stops = [];
  try {
    const npm = await npmRegistry(join(folder, 'npm'), say);
    stops.push(npm.stop);
    publishNpm(release, npm.env);
    const python = await pythonIndex(join(folder, 'python'), say);
    stops.push(python.stop);
    publishPython(release, python.twine, python.env);
    const cargo = await cargoIndex(release.crate);
    stops.push(cargo.stop);
    say('published to registries of this machine; npm run test:release installs from such, and runs first jobs');
  } finally {
    for (const stop of stops) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function publish(release) {
  publishNpm(release);
  publishPython(release, 'twine');
  publishRust();
  git('tag', `v${version}`);
  git('tag', goTag(version));
  git('push', 'origin', `v${version}`, goTag(version));
  say(`published. Left to do: upload ${release.maven.bundle} to Maven Central, and the archives to the release's page`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      into: { type: 'string', default: 'dist' },
      'this-platform': { type: 'boolean', default: false },
    },
  });
  const isDryRun = values['dry-run'];
  const found = problems(isDryRun);
  if (found.length > 0)
    throw new Error(`${version} can't be released:\n${found.map((line) => `  ${line}`).join('\n')}`);
  if (values['this-platform'] && !isDryRun)
    throw new Error('--this-platform is for a dry run: a release has all platforms');
  const platforms = values['this-platform'] ? [thisPlatform()] : PLATFORMS;
  const release = await buildRelease({ folder: resolve(values.into), platforms, say });
  await lintPackages(release, say);
  if (isDryRun) await rehearse(release);
  else publish(release);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`release: ${error.message}\n`);
  process.exitCode = 1;
}
