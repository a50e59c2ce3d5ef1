/** The health of a process after all faults. */
import { readdirSync, readFileSync } from 'node:fs';

/** Replicas held from 186 to 205 MB after campaigns, when their garbage had been collected, and up to 350 MB before. */
export const MAX_REPLICA_MB = 300;
/** With garbage. */
export const MAX_WORKER_MB = 400;
const MAX_FILES = 200;

/** Problems of a live process: memory or files that it does not release. */
export function ailments(name: string, pid: number | undefined, maxMegabytes: number): string[] {
  if (pid === undefined) return [`${name} does not run`];
  const megabytes = megabytesOf(pid);
  const files = readdirSync(`/proc/${pid}/fd`).length;
  const found: string[] = [];
  if (megabytes > maxMegabytes) found.push(`${name} holds ${Math.round(megabytes)} MB`);
  if (files > MAX_FILES) found.push(`${name} holds ${files} open files`);
  return found;
}

/** Resident memory. */
export function megabytesOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)?.[1] ?? 0) / 1024;
}
