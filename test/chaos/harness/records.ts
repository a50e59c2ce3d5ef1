/** The records of the worker processes: a file of JSON lines for each life, which outlives the process. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Times are milliseconds since 1970 on the machine's clock, which is the database's too, whatever the worker's says. */
export interface WorkerRecord {
  readonly kind: 'start' | 'effect' | 'end' | 'gap' | 'event';
  readonly at: number;
  /** Name of the worker's life, as in its sessions. */
  readonly worker: string;
  readonly job?: string;
  readonly attempt?: number;
  readonly handler?: string;
  /** How a handler ended: it returned, failed, or was asked to stop. */
  readonly how?: 'returned' | 'failed' | 'stopped';
  /** Start of a gap in which the process did not run. */
  readonly from?: number;
  readonly event?: string;
  readonly pid?: number;
  readonly sessionPid?: number;
  /** How far the worker's own clock is ahead of the machine's, if that is more than a second. */
  readonly aheadMs?: number;
  readonly stats?: Readonly<Record<string, number>>;
}

/** All records of a folder, in the order of their times. A last line that a machine crash has cut is an error. */
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
  // A live process may be in the middle of a line.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WorkerRecord);
}
