#!/usr/bin/env node
// Starts `muster`. In a checkout on a Node that can run TypeScript: on this one if it is new enough, else on the one that
// the set-up has installed. An installed package contains JavaScript instead. This file is plain JavaScript that old
// releases of Node understand, too.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const isCheckout = existsSync(new URL('./muster.ts', import.meta.url));
const needed = isCheckout ? '24.0' : '22.12';
const tools = fileURLToPath(new URL('../../.tools', import.meta.url));
const broughtNode = `${tools}/bin/node`;
const program = fileURLToPath(new URL(isCheckout ? './muster.ts' : './muster.js', import.meta.url));
const args = process.argv.slice(2);

function isAtLeast(version) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [neededMajor, neededMinor] = version.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** Whether a shell finds `muster`: not only npm, which puts its own folders first. */
function isOnPath() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !/node_modules[/\\]/.test(folder));
  return folders.some((folder) => folder && existsSync(`${folder}/muster`));
}

// For hints, which name commands as this user types them.
process.env.MUSTER_COMMAND ??= isOnPath() ? 'muster' : 'npx muster-jobs';

const isNewEnough = isAtLeast(needed);
// A server creates a lot of short-lived garbage: small young generations keep its pauses short. Node can set this only
// at start.
const isServer = ['start', 'server'].includes(args[0]);
const nodeOptions = isServer ? ['--max-semi-space-size=8'] : [];
// The lock of a data folder uses node:sqlite, which Node 22 calls experimental.
const usesSqlite = isServer || ['export', 'import', 'verify', 'migrate'].includes(args[0]);
if (isNewEnough && usesSqlite && !isAtLeast('24.0')) {
  nodeOptions.push('--disable-warning=ExperimentalWarning');
  if (!isAtLeast('22.13')) nodeOptions.push('--experimental-sqlite');
}

function rerun(node) {
  const command = [...nodeOptions, program, ...args];
  // Replaces this process if Node can do that: nobody has to forward signals, and no orphan can remain.
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    const { emitWarning } = process;
    process.emitWarning = () => {}; // Node would warn that execve is experimental
    process.execve(node, [node, ...command], process.env);
    process.emitWarning = emitWarning;
  }
  const child = spawn(node, command, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole process group: the child already has it, and a second one means "now!".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`muster: can't run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}

if (isNewEnough && nodeOptions.length === 0) {
  // Loading the code takes longer than most commands: its compiled form is cached, in a checkout in a folder of it.
  module.enableCompileCache(isCheckout && existsSync(tools) ? `${tools}/compile-cache` : undefined);
  if (isCheckout) await import('./muster.ts');
  else await import('./muster.js');
} else if (isNewEnough) rerun(process.execPath);
else if (isCheckout && existsSync(broughtNode)) rerun(broughtNode);
else {
  const next = isCheckout
    ? `npm run setup    brings one into this checkout, or install Node ${needed} yourself`
    : 'install a newer Node (https://nodejs.org), or use the archive, which brings its own';
  process.stderr.write(`muster: Node ${process.version} is too old, it takes ${needed} or later.\n  next: ${next}\n`);
  process.exitCode = 1;
}
