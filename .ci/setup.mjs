#!/usr/bin/env node
// Installs the dependencies of this checkout into node_modules and .tools, then runs the given command with them on its PATH.
//
//   node .ci/setup.mjs [--node] [--checks] [--tests] [--traces] [-- command [argument...]]
//
// --node installs Node and its modules only. --checks also installs the tools of the checks and the code generation,
// --tests those of the tests, --traces the tracing backend for the tests of traces, which takes some minutes. Runs on
// Node 20 and later, needs no root, installs nothing outside the checkout, and needs no network when nothing is missing.

import { chromium } from './setup/chromium.mjs';
import { runCommand } from './setup/command.mjs';
import { jaeger } from './setup/jaeger.mjs';
import { withLock } from './setup/lock.mjs';
import { nats } from './setup/nats-server.mjs';
import { nodeModules } from './setup/node-modules.mjs';
import { nodeRuntime } from './setup/node-runtime.mjs';
import { pgbouncer } from './setup/pgbouncer.mjs';
import { postgres } from './setup/postgres.mjs';
import { prometheus } from './setup/prometheus.mjs';
import { pythonSdk, pythonTools } from './setup/python.mjs';
import { say } from './setup/say.mjs';
import { tmux } from './setup/tmux.mjs';

function parseArguments(args) {
  const split = args.indexOf('--');
  const options = split < 0 ? args : args.slice(0, split);
  const known = ['--node', '--checks', '--tests', '--traces'];
  const unknown = options.find((option) => !known.includes(option));
  if (unknown !== undefined)
    throw new Error(
      `unknown option ${unknown}; usage: setup.mjs [--node] [--checks] [--tests] [--traces] [-- command]`,
    );
  const [nodeOnly, checks, tests, traces] = known.map((option) => options.includes(option));
  return { nodeOnly, checks, tests, traces, command: split < 0 ? [] : args.slice(split + 1) };
}

/** The chains run in parallel; within a chain each step needs the previous one. */
function chains({ nodeOnly, checks, tests, traces }) {
  if (nodeOnly) return [[nodeModules], [nodeRuntime]];
  // A test has mypy look at the wheel's types.
  const python = checks || tests ? [pythonSdk, pythonTools] : [pythonSdk];
  const more = [...(tests ? [[chromium, tmux, prometheus, pgbouncer]] : []), ...(traces ? [[jaeger]] : [])];
  return [[nodeModules, postgres], [nodeRuntime], [nats], python, ...more];
}

async function bringChain(steps) {
  for (const step of steps) {
    if (!step.isReady()) await step.bring();
  }
}

/** Runs the chains that lack something; throws with every failure, not just the first. */
async function bringMissing(all) {
  const started = Date.now();
  const results = await Promise.allSettled(all.map(bringChain));
  const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason.message);
  if (failures.length > 0) throw new Error(failures.join('\n\n'));
  say(`ready after ${Math.round((Date.now() - started) / 1000)} s`);
}

async function main() {
  if (process.platform === 'win32') throw new Error('Windows is supported through WSL only');
  const { command, ...wanted } = parseArguments(process.argv.slice(2));
  const all = chains(wanted);
  const isReady = () => all.flat().every((step) => step.isReady());
  if (!isReady()) {
    await withLock(async () => {
      if (!isReady()) await bringMissing(all);
    });
  }
  if (command.length > 0) await runCommand(command);
}

try {
  await main();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
