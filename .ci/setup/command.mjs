// Runs a command as if it had been started directly: same terminal, same signals, same exit.

import { spawn } from 'node:child_process';
import { commandEnvironment } from './paths.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Waits for the command to end and leaves with its exit code, or by the signal that ended it. */
export async function runCommand(command) {
  const { code, signal } = await runForwarding(command);
  if (signal === null) process.exitCode = code;
  else process.kill(process.pid, signal);
}

/**
 * Runs a program with the tools of the set-up, passes signals on to it, and waits for its end.
 *
 * @param {readonly string[]} command
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
export async function runForwarding([program, ...args]) {
  const child = spawn(program, args, { stdio: 'inherit', env: commandEnvironment() });
  const handlers = FORWARDED.map((signal) => [signal, () => forward(child, signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    return await ended(child, program);
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}

function forward(child, signal) {
  // A terminal sends Ctrl-C to the whole process group: the command has it already, and a second one may mean "now!".
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}

function ended(child, program) {
  return new Promise((fulfil, reject) => {
    child.on('error', (error) => reject(new Error(`cannot run ${program}: ${error.message}`)));
    child.on('exit', (code, signal) => fulfil({ code, signal }));
  });
}
