// The PostgreSQL servers of the tests: npm packages contain no symbolic links, but these need them to load libraries.

import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './paths.mjs';
import { say } from './say.mjs';

const modules = join(root, 'node_modules');
const PACKAGE_NAME = /^postgres-\d+-/;

export const postgres = {
  isReady() {
    return missingLinks().length === 0;
  },

  async bring() {
    say('linking the libraries of the PostgreSQL packages');
    for (const { path, target } of missingLinks()) symlinkSync(target, path);
  },
};

/** Links that the packages list and that are missing: the path of each, and its target, relative to it. */
function missingLinks() {
  const packages = readdirSync(modules).filter((name) => PACKAGE_NAME.test(name));
  const all = packages.flatMap((name) => listedLinks(join(modules, name)));
  return all.filter(({ path }) => lstatSync(path, { throwIfNoEntry: false }) === undefined);
}

function listedLinks(folder) {
  const file = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(file)) throw new Error(`${folder} is incomplete: delete node_modules and try again`);
  // In these lists "source" is the file that is there, and "target" the name that is to point at it.
  const list = JSON.parse(readFileSync(file, 'utf8'));
  return list.map(({ source, target }) => ({
    path: join(folder, target),
    target: relative(dirname(target), source),
  }));
}
