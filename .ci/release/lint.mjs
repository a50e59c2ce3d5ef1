// publint and "are the types wrong" look at the npm packages as they are published.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tools } from '../setup/paths.mjs';

const TOOLS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];

/** @throws Error with their output if they find something. */
export async function lintPackages({ sdk, server }, say) {
  const home = join(tools, 'package-lint');
  const bin = (name) => join(home, 'node_modules/.bin', name);
  if (!existsSync(bin('attw'))) {
    mkdirSync(home, { recursive: true });
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    execFileSync('npm', ['install', '--prefix', home, ...TOOLS, ...flags], { stdio: 'inherit' });
  }
  for (const tarball of [sdk, server]) {
    check(bin('publint'), 'run', tarball, '--strict');
    // Each Node from 22.12 on loads ES modules with require, too.
    check(bin('attw'), tarball, '--profile', 'esm-only', '--no-emoji', '--no-color');
  }
  say('publint and attw find nothing');
}

function check(program, ...args) {
  try {
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}\n${error.stdout}${error.stderr}`);
  }
}
