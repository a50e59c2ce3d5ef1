/** What the worker processes wrote down: a file of JSON lines for each life, which outlives whoever wrote it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Times are milliseconds since 1970 on the machine's clock, which is the database's too. */
export interface WorkerRecord {
  readonly kind: 'start' | 'effect' | 'end' | 'gap' | 'event';
  readonly at: number;
  /** Name of the worker's life: the one that its sessions carry. */
  readonly worker: string;
  readonly job?: string;
  readonly attempt?: number;
  readonly handler?: string;
  /** How a handler ended: it returned, failed, or was asked to stop. */
  readonly how?: 'returned' | 'failed' | 'stopped';
  /** Of a gap: since when the process did not run. */
  readonly from?: number;
  readonly event?: string;
  readonly pid?: number;
  readonly sessionPid?: number;
  readonly stats?: Readonly<Record<string, number>>;
}

/** All records of a folder, in the order of their times. A last line that was cut by a crash of the machine is an error. */
export function readRecords(folder: string): WorkerRecord[] {
  return readdirSync(folder)
    .flatMap((file) => linesOf(join(folder, file)))
    .sort((a, b) => a.at - b.at);
}

export function recordsOf(folder: string, worker: string): WorkerRecord[] {
  return linesOf(join(folder, worker));
}

function linesOf(file: string): WorkerRecord[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  // Whoever writes may be in the middle of a line while it lives.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WorkerRecord);
}
