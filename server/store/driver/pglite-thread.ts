/** PGlite's worker thread: takes wire-protocol messages, answers with PostgreSQL's own bytes. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

if (!parentPort) throw new Error('pglite-thread.ts can be started by pglite.ts only');
const port = parentPort;
/** Small settings: PGlite shares the memory of the control plane's process. */
const memory = ['shared_buffers = 32MB', 'maintenance_work_mem = 16MB', 'wal_buffers = 4MB'];
const { dataDir, snapshot } = workerData as { readonly dataDir: string; readonly snapshot?: Uint8Array<ArrayBuffer> };
const loadDataDir = snapshot ? { loadDataDir: new Blob([snapshot]) } : {};
const database = await PGlite.create({ dataDir, postgresqlconf: memory, ...loadDataDir });
port.postMessage({ ready: true });

port.on('message', async (message: Uint8Array | 'close') => {
  if (message === 'close') {
    await database.close();
    port.postMessage({ closed: true });
    port.close();
    return;
  }
  // The streaming call returns raw bytes. The plain one also parses them into messages that it never frees: 26 MB for
  // 30,000 jobs. The bytes are PGlite's own buffer, so they are copied.
  const chunks: Uint8Array[] = [];
  await database.execProtocolRawStream(message, { onRawData: (chunk) => chunks.push(chunk.slice()) });
  const [bytes = new Uint8Array(0)] = chunks.length > 1 ? [concatenate(chunks)] : chunks;
  port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
});

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
