/** The worker thread that PGlite lives in: takes wire-protocol messages, answers with PostgreSQL's own bytes. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

if (!parentPort) throw new Error('pglite-thread.ts is started by pglite.ts, never by hand');
const port = parentPort;
const database = await PGlite.create({ dataDir: workerData.dataDir as string });
port.postMessage({ ready: true });

port.on('message', async (message: Uint8Array | 'close') => {
  if (message === 'close') {
    await database.close();
    port.postMessage({ closed: true });
    port.close();
    return;
  }
  const answer = await database.execProtocolRaw(message);
  // PGlite reuses its buffer: the copy is ours to give away.
  const bytes = answer.slice();
  port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
});
