// Runs the programs that the set-up needs: bounded in time, quiet unless they fail, gone when the set-up is told to stop.

import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

const KEPT_OUTPUT = 4_000; // of the beginning and of the end each: npm says what is wrong first, a compiler last
const running = new Set();
let announce = () => {};

/** Has the process id of every program that is started from now on passed to `listener`. */
export function onStart(listener) {
  announce = listener;
}

/** Ends what runs now, with all that it has started. */
export function stopRunning() {
  for (const child of running) killGroup(child);
}

/**
 * Runs a program and gives its stdout; stdin is closed.
 * Rejects with the beginning and the end of its output when it fails, cannot be started, or takes longer than `seconds`.
 */
export function run(program, args, { seconds, env = {}, cwd = root }) {
  return new Promise((fulfil, reject) => {
    // A process group of its own, so that it can be ended with its children.
    const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true };
    const child = spawn(program, args, options);
    const limit = setTimeout(() => killGroup(child), seconds * 1000);
    const output = collect(child);
    const end = (why) => {
      clearTimeout(limit);
      running.delete(child);
      if (why === undefined) fulfil(output.stdout);
      else reject(new Error(`${[program, ...args].join(' ')}: ${why}\n${shortened(output)}`.trimEnd()));
    };
    child.on('spawn', () => {
      running.add(child);
      announce(child.pid);
    });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) end();
      else end(signal === null ? `exit code ${code}` : `ended by ${signal} (its limit is ${seconds} s)`);
    });
  });
}

/** Gathers what a program prints: its stdout, and the beginning and the tail of both streams for a report. */
function collect(child) {
  const output = { stdout: '', head: '', tail: '', left: 0 };
  const keep = (text) => {
    const taken = text.slice(0, KEPT_OUTPUT - output.head.length);
    output.head += taken;
    const all = output.tail + text.slice(taken.length);
    output.tail = all.slice(-KEPT_OUTPUT);
    output.left += all.length - output.tail.length;
  };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
    keep(text);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  return output;
}

function shortened({ head, left, tail }) {
  return left === 0 ? head + tail : `${head}\n… ${left} characters more …\n${tail}`;
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
