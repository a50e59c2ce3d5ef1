/** The memory of a Node process without its garbage: a session of its inspector collects that first. */
import { once } from 'node:events';
import { eventually } from '../../../support/base/eventually.ts';
import type { Child } from '../child.ts';
import { megabytesOf } from '../vitals.ts';

/** For a process in Node: the inspector, which SIGUSR1 opens, takes any free port. */
export const INSPECTABLE = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --inspect-port=127.0.0.1:0` };

const LISTENING = /Debugger listening on (ws:\S+)/;
const ANSWER_MS = 30_000;
/** The first one runs finalizers, whose objects the second one frees. */
const COLLECTIONS = 2;

/** In MB. */
export interface MemoryUse {
  /** Resident, before and after the collection. */
  readonly before: number;
  readonly after: number;
  /** Live objects. */
  readonly live: number;
}

/** The process was started with `INSPECTABLE` in its environment. */
export async function collectGarbage(child: Child): Promise<MemoryUse> {
  const before = megabytesOf(child.pid);
  const socket = new WebSocket(await inspectorOf(child));
  try {
    await once(socket, 'open', { signal: AbortSignal.timeout(ANSWER_MS) });
    for (let n = 0; n < COLLECTIONS; n++) await ask(socket, 'HeapProfiler.collectGarbage');
    const { usedSize } = await ask<{ usedSize: number }>(socket, 'Runtime.getHeapUsage');
    return { before, after: megabytesOf(child.pid), live: usedSize / 2 ** 20 };
  } finally {
    socket.close();
  }
}

/** The address stays the same for the life of the process. */
async function inspectorOf(child: Child): Promise<string> {
  const find = () => child.lines.findLast((line) => LISTENING.test(line))?.match(LISTENING)?.[1];
  const known = find();
  if (known) return known;
  child.signal('SIGUSR1');
  return eventually(`the inspector of ${child.name} listens`, find, { timeoutMs: ANSWER_MS, everyMs: 20 });
}

let lastId = 0;

async function ask<Answer>(socket: WebSocket, method: string): Promise<Answer> {
  const id = ++lastId;
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  socket.send(JSON.stringify({ id, method }));
  const [{ data }] = (await answered) as [{ readonly data: string }];
  const { id: answers, result, error } = JSON.parse(data);
  if (answers !== id || error) throw new Error(`${method}: ${data}`);
  return result;
}
