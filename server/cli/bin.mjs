#!/usr/bin/env node
// Starts `muster` on a Node that can run TypeScript: on this one if it is new enough, else on the one that the
// set-up has installed. An installed package contains JavaScript instead. This file is plain JavaScript that old
// releases of Node understand, too.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const isNewEnough = Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR;
const tools = fileURLToPath(new URL('../../.tools', import.meta.url));
const broughtNode = `${tools}/bin/node`;
const isCheckout = existsSync(new URL('./muster.ts', import.meta.url));
const program = fileURLToPath(new URL(isCheckout ? './muster.ts' : './muster.js', import.meta.url));
const args = process.argv.slice(2);

// A server creates a lot of short-lived garbage: small young generations keep its pauses short. Node can set this only
// at start.
const isServer = ['start', 'server'].includes(args[0]);
const nodeOptions = isServer ? ['--max-semi-space-size=8'] : [];

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

if (isNewEnough && !isServer) {
  // Loading the TypeScript takes longer than most commands: the compiled code is cached in a folder of this checkout.
  if (existsSync(tools)) module.enableCompileCache(`${tools}/compile-cache`);
  if (isCheckout) await import('./muster.ts');
  else await import('./muster.js');
} else if (isNewEnough) rerun(process.execPath);
else if (existsSync(broughtNode)) rerun(broughtNode);
else {
  process.stderr.write(`muster: Node ${process.version} is too old, it takes ${NEEDED_MAJOR} or later.
  next: npm run setup    brings one into this checkout, or install Node ${NEEDED_MAJOR} yourself
`);
  process.exitCode = 1;
}
