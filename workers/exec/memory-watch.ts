/** Watches the memory use of commands, each with all its descendants. */
import { readFileSync } from 'node:fs';
import { membersOf } from './process-session.ts';

const POLL_MS = 100;

interface Watched {
  readonly limit: number;
  readonly onExceeded: (used: number) => void;
}

export class MemoryWatch {
  readonly #watched = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Calls `onExceeded` once when the session's processes use more than `limit` bytes together. Returns a stop function.
   */
  watch(session: number, limit: number, onExceeded: (used: number) => void): () => void {
    this.#watched.set(session, { limit, onExceeded });
    this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
    return () => {
      this.#watched.delete(session);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #poll(): void {
    const pids = Map.groupBy(membersOf(this.#watched), ({ session }) => session);
    for (const [session, { limit, onExceeded }] of this.#watched) {
      const members = pids.get(session) ?? [];
      const sum = (read: (pid: number) => number) => members.reduce((total, { pid }) => total + read(pid), 0);
      // The first sum counts shared memory in each process. The exact one is slow to compute: only where it decides.
      if (sum(residentBytes) <= limit) continue;
      const used = sum(ownBytes);
      if (used <= limit) continue;
      this.#watched.delete(session);
      onExceeded(used);
    }
  }
}

const RESIDENT = ['RssAnon', 'RssShmem', 'VmSwap'];
const OWN = ['Pss_Anon', 'Pss_Shmem', 'SwapPss'];

/** Without mapped files, which the kernel can drop. */
function residentBytes(pid: number): number {
  return bytesIn(`/proc/${pid}/status`, RESIDENT) ?? 0;
}

/** Counts shared memory in proportion to the number of processes that share it. */
function ownBytes(pid: number): number {
  return bytesIn(`/proc/${pid}/smaps_rollup`, OWN) ?? residentBytes(pid);
}

/** The sum of the values of these names in the file; `undefined` if it has none. */
function bytesIn(file: string, names: readonly string[]): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined; // it is gone
  }
  const found = [...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].filter(([, name = '']) => names.includes(name));
  return found.length === 0 ? undefined : found.reduce((sum, [, , kilobytes]) => sum + Number(kilobytes) * 1_024, 0);
}
