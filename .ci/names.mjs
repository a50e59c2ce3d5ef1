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

/** Where a name stands: what is before it and after it. */
const places = {
  npm: [
    /(?<=\bnpx (?:--yes )?|npm (?:i|install) (?:-g )?|npm:|node_modules\/|^ {2}"name": "|^ {4}")/m,
    /(?=[\s"'`@/]|$)/m,
  ],
  scope: [/(?<![\w-])/, /(?=\/)/],
  pypi: [
    /(?<=pip install (?:-U )?["']?|uv add |\bpypi\.org\/project\/|m\.(?:files|metadata)\("|\bversion\("|^name = ")/m,
    /(?=[\s"'`[/]|$)/m,
  ],
  crate: [
    /(?<=cargo add |docs\.rs\/|crates\.io\/crates\/|^ ?"|^name = "|^(?=\S+ = \{ path)|'--package', ')/m,
    /(?=[\s"'`/,]|$)/m,
  ],
  repository: [/(?<![\w.-])/, /(?![\w-])/],
  maven: [/(?<![\w.-])/, /(?![\w-])/],
};
/** Names that stand in some files only. */
const files = { crate: /^sdk\/rust\/|^workers\/.*Cargo\.toml$|rust|\.md$/, pypi: /python|\.md$/ };

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
  const changed = Object.keys(places).filter((key) => before[key] !== names[key]);
  for (const file of listed()) {
    const text = read(file);
    const result = changed.reduce((now, key) => {
      if (files[key] && !files[key].test(file)) return now;
      const [start, end] = places[key];
      const pattern = new RegExp(start.source + before[key].replaceAll('.', '\\.') + end.source, 'gm');
      return now.replace(pattern, names[key]);
    }, text);
    if (result !== text) writeFileSync(join(root, file), result);
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
