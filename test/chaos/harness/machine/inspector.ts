/** Questions to a Node process by its inspector: its memory without garbage, and its clock. */
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

/** Resolves with the memory of a process that was started with `INSPECTABLE` in its environment. */
export function collectGarbage(child: Child): Promise<MemoryUse> {
  return inspect(child, async (ask) => {
    const before = megabytesOf(child.pid);
    for (let n = 0; n < COLLECTIONS; n++) await ask('HeapProfiler.collectGarbage');
    const { usedSize } = await ask<{ usedSize: number }>('Runtime.getHeapUsage');
    return { before, after: megabytesOf(child.pid), live: usedSize / 2 ** 20 };
  });
}

/** Resolves with what `Date.now()` is in such a process. */
export function wallClockOf(child: Child): Promise<number> {
  return inspect(child, async (ask) => {
    const { result } = await ask<{ result: { value: number } }>('Runtime.evaluate', { expression: 'Date.now()' });
    return result.value;
  });
}

type Ask = <Answer>(method: string, params?: object) => Promise<Answer>;

async function inspect<T>(child: Child, work: (ask: Ask) => Promise<T>): Promise<T> {
  const socket = new WebSocket(await inspectorOf(child));
  try {
    await once(socket, 'open', { signal: AbortSignal.timeout(ANSWER_MS) });
    return await work((method, params) => ask(socket, method, params));
  } finally {
    socket.close();
  }
}

/** Each process prints the address once. */
const inspectors = new WeakMap<Child, string>();

async function inspectorOf(child: Child): Promise<string> {
  const known = inspectors.get(child);
  if (known) return known;
  child.signal('SIGUSR1');
  const find = () => child.lines.findLast((line) => LISTENING.test(line))?.match(LISTENING)?.[1];
  const wait = { timeoutMs: ANSWER_MS, everyMs: 20 };
  const address = await eventually(`the inspector of ${child.name} listens`, find, wait);
  inspectors.set(child, address);
  return address;
}

let lastId = 0;

async function ask<Answer>(socket: WebSocket, method: string, params: object = {}): Promise<Answer> {
  const id = ++lastId;
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  socket.send(JSON.stringify({ id, method, params }));
  const [{ data }] = (await answered) as [{ readonly data: string }];
  const { id: answers, result, error } = JSON.parse(data);
  if (answers !== id || error) throw new Error(`${method}: ${data}`);
  return result;
}
