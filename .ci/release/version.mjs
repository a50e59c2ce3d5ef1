// The version of a release: package.json has it, and every other place has to have the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

const read = (file) => readFileSync(join(root, file), 'utf8');

export const version = JSON.parse(read('package.json')).version;

/** Where else it stands, and how. */
const PLACES = [
  ['sdk/typescript/package.json', /"version": "(.+?)"/],
  ['sdk/typescript/src/worker/sdk-version.ts', /version: '(.+?)'/],
  ['sdk/python/pyproject.toml', /^version = "(.+?)"/m],
  ['sdk/go/version.go', /sdkVersion += "(.+?)"/],
  ['sdk/java/pom.xml', /<version>(.+?)<\/version>/],
  ['sdk/java/bom/pom.xml', /<version>(.+?)<\/version>/],
  ['sdk/rust/Cargo.toml', /^version = "(.+?)"/m],
];

/** The part of the changelog that a release announces. */
export function changesOf(wanted = version) {
  const parts = read('CHANGELOG.md').split(/^## /m);
  const found = parts.find((part) => part.startsWith(`${wanted} `) || part.startsWith(`[${wanted}]`));
  return found && `## ${found.trim()}\n`;
}

/** What keeps this version from being released; each names its file. */
export function versionProblems() {
  const problems = PLACES.flatMap(([file, pattern]) => {
    const found = pattern.exec(read(file))?.[1];
    return found === version ? [] : [`${file} has version ${found}, package.json has ${version}`];
  });
  const changes = changesOf();
  if (changes === undefined) problems.push(`CHANGELOG.md has no part "## ${version} - YYYY-MM-DD"`);
  return problems;
}
