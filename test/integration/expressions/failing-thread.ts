/** In place of the thread that evaluates: does what the expression's text says. */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ToThread } from '../../../server/expressions/thread-messages.ts';

const faults: Readonly<Record<string, () => void>> = {
  hang: () => {
    for (;;);
  },
  exit: () => process.exit(1),
  'use up the memory': () => {
    for (const all: number[][] = []; ; ) all.push(new Array(1_000_000).fill(all.length));
  },
};

Atomics.add(new Int32Array(workerData as SharedArrayBuffer), 0, 1);

parentPort?.on('message', ({ text, own }: ToThread) => {
  const [fault = '', onceFile] = text.split(' once ');
  if (onceFile === undefined || !existsSync(onceFile)) {
    if (onceFile !== undefined) writeFileSync(onceFile, '');
    faults[fault]?.();
  }
  const answer: FromThread =
    text === 'throw' ? { error: 'thrown' } : { results: own.map(() => ({ value: text })), steps: 1 };
  parentPort?.postMessage(answer);
});
