// Runs programs for the set-up: with a time limit, quiet unless they fail, and stopped when the set-up is stopped.

import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

const KEPT_OUTPUT = 4_000; // of the beginning and of the end each: npm says what is wrong first, a compiler last
const running = new Set();
let announce = () => {};

/** Calls `listener` with the process id of every program that is started from now on. */
export function onStart(listener) {
  announce = listener;
}

/** Ends the running programs with all their children. */
export function stopRunning() {
  for (const child of running) killGroup(child);
}

/**
 * Runs a program and returns its stdout; stdin is closed.
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
