#!/usr/bin/env node
// Starts `muster` on a Node that runs TypeScript as it is: on this one where it is new enough, else on the one that the
// set-up has brought. An installed package has JavaScript in the place of the TypeScript. Plain JavaScript that old
// releases of Node understand as well.

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

// A server makes a lot of short-lived garbage: small young generations keep its pauses short. That is set at start only.
const isServer = ['start', 'server'].includes(args[0]);
const nodeOptions = isServer ? ['--max-semi-space-size=8'] : [];

function rerun(node) {
  const command = [...nodeOptions, program, ...args];
  // The very same process where Node can do that: nobody has to pass on signals, and nothing is orphaned.
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    const { emitWarning } = process;
    process.emitWarning = () => {}; // it would say that this is an experiment
    process.execve(node, [node, ...command], process.env);
    process.emitWarning = emitWarning;
  }
  const child = spawn(node, command, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole process group: the child has it already, and a second one means "now!".
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
  // Reading the TypeScript takes longer than most commands do: it is done once, in a folder that is this checkout's own.
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
