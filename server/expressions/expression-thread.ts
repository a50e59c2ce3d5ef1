/** The worker thread that evaluates expressions; it may be terminated at any time. */
import { parentPort, workerData } from 'node:worker_threads';
import { evaluateAll } from '../domain/workflows/expressions/evaluation.ts';
import { type FromThread, type ToThread, unpacked } from './thread-messages.ts';

if (!parentPort) throw new Error('expression-thread.ts can be started by thread-expressions.ts only');
const port = parentPort;
/** 1 once the thread has started, and one more for each evaluation. */
const progress = new Int32Array(workerData as SharedArrayBuffer);
Atomics.add(progress, 0, 1);

function answer(message: ToThread): FromThread {
  try {
    return evaluateAll(unpacked(message), () => Atomics.add(progress, 0, 1));
  } catch (error) {
    return { error: String(error) };
  }
}

port.on('message', (message: ToThread) => port.postMessage(answer(message)));
