#!/usr/bin/env node
// The names under which packages are published. names.json has them all; "confirmed" says that they belong to the
// project, and a release to public registries refuses to run before.
//
//   node .ci/names.mjs            fails when a file has another name
//   node .ci/names.mjs --write    after a change of names.json: replaces the names of the last commit by the new ones

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';

const FILE = '.ci/names.json';
export const names = JSON.parse(readFileSync(join(root, FILE), 'utf8'));

/** Written by other tools, or a record of the past. */
const leftOut =
  /^package-lock\.json$|^sdk\/go\/musterpb\/|^sdk\/python\/src\/muster\/(worker\/)?v1\/|\/gen\/|^docs\/reference\/|^\.ci\/(names|accepted-breaks)|^docs\/decisions\/|^CHANGELOG/;

/** Names that are in one registry only, with what is before and after them. */
const places = {
  repository: ['(?<![\\w.-])', '(?![\\w-])'],
  maven: ['(?<![\\w.-])', '(?![\\w-])'],
  scope: ['(?<![\\w-])', '(?=[/\'"])'],
};
/** The same name may be in several registries: the words before it in its line decide which, else its file. */
const registries = {
  npm: /\bnpm|\bnpx|node_modules/g,
  pypi: /\bpip\b|\bpypi|Python/g,
  crate: /\bcargo|\bcrate|docs\.rs|Rust/g,
};

function registryOf(file, before) {
  const last = (pattern) => [...before.matchAll(pattern)].at(-1)?.index ?? -1;
  const [[name, place]] = Object.entries(registries)
    .map(([key, pattern]) => [key, last(pattern)])
    .sort(([, one], [, other]) => other - one);
  if (place >= 0) return name;
  if (/rust|Cargo/.test(file)) return 'crate';
  return /python/.test(file) ? 'pypi' : 'npm';
}

/** What no file may have. */
const refused = [
  [/\bnpx muster(?!-jobs)\b/, `npx ${names.npm}`],
  [/\bmuster\.dev\b/, 'a name of names.json: this domain is not the project’s'],
  [/@muster\//, `${names.scope}/`],
  [/(?:pip install|uv add|cargo add) muster(?!-jobs)\b/, `the package ${names.pypi}, or ${names.crate}`],
];

/** What a manifest must have, so that names.json is the only source. */
const manifests = [
  ['package.json', `"name": "${names.npm}"`],
  ['sdk/typescript/package.json', `"name": "${names.scope}/sdk"`],
  ['sdk/python/pyproject.toml', `name = "${names.pypi}"`],
  ['sdk/rust/Cargo.toml', `name = "${names.crate}"`],
  ['sdk/go/go.mod', `module ${names.repository}/sdk/go\n`],
  ['sdk/java/pom.xml', `<groupId>${names.maven}</groupId>`],
  ['sdk/java/bom/pom.xml', `<groupId>${names.maven}</groupId>`],
];

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const read = (file) => readFileSync(join(root, file), 'utf8');
const listed = () =>
  git('grep', '--files-with-matches', '-I', '--untracked', 'muster')
    .split('\n')
    .filter((file) => file && !leftOut.test(file));

function check() {
  for (const file of listed()) {
    for (const [index, line] of read(file).split('\n').entries()) {
      const [, instead] = refused.find(([pattern]) => pattern.test(line)) ?? [];
      if (instead) report(`${file}:${index + 1}: ${line.trim().slice(0, 80)}: say ${instead}`);
    }
  }
  for (const [file, text] of manifests)
    if (!read(file).includes(text)) report(`${file}: lacks ${text.trim()}: see ${FILE}`);
  if (!process.exitCode) console.log('all names are those of names.json');
}

function report(message) {
  console.error(message);
  process.exitCode = 1;
}

function write() {
  const before = JSON.parse(git('show', `HEAD:${FILE}`));
  const pattern = (key, [start, end]) => new RegExp(start + before[key].replaceAll('.', '\\.') + end, 'g');
  const packages = pattern('npm', ['(?<![\\w.@-]|github\\.com/)', '(?![\\w-])']);
  if (new Set(Object.keys(registries).map((key) => before[key])).size > 1)
    throw new Error('the packages have different names already: change them by hand');
  for (const file of listed()) {
    const lines = read(file).split('\n');
    const result = lines.map((line) => {
      const changed = line.replace(packages, (_, at) => names[registryOf(file, line.slice(0, at))]);
      return Object.entries(places).reduce(
        (now, [key, place]) => now.replace(pattern(key, place), names[key]),
        changed,
      );
    });
    if (result.some((line, n) => line !== lines[n])) writeFileSync(join(root, file), result.join('\n'));
  }
  const run = (...command) => execFileSync(command[0], command.slice(1), { cwd: root, stdio: 'inherit' });
  run('npm', 'install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund');
  run('npm', 'run', '--silent', 'generate');
  run('npm', 'run', '--silent', 'format');
}

if (import.meta.filename === process.argv[1]) {
  if (process.argv[2] === '--write') write();
  else check();
}
