/** Gauges of this replica: its process, its connections, and its unspent credits. */
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Timers } from '../../engine/ports/ports.ts';
import { metrics } from './catalogue.ts';
import type { Instruments } from './instruments.ts';

/** The database counts as down if it has not answered after this time. */
const ANSWER_MS = 2_000;

export interface ReplicaParts {
  readonly version: string;
  readonly protocolVersion: number;
  readonly timers: Timers;
  /** Rejects if the database does not answer. */
  readonly askDatabase: () => Promise<unknown>;
  readonly isBusUp: () => boolean;
  /** Lines of the log that were dropped, because it was full or was not read. */
  readonly droppedLines: () => number;
  /** Steps of the database's clock that this replica has seen. */
  readonly clockSteps: () => number;
  /** Changes of the database's history that ended earlier replicas of this process. */
  readonly historyChanges: number;
  /** Attempts that sessions have requested here and not received. */
  readonly unspent: () => { readonly slots: number; readonly prefetch: number };
}

export function observeReplica(instruments: Instruments, parts: ReplicaParts): void {
  const database = instruments.gauge(metrics.databaseUp);
  const bus = instruments.gauge(metrics.busUp);
  const credits = instruments.gauge(metrics.credits);
  const build = instruments.gauge(metrics.build);
  const dropped = instruments.observedCounter(metrics.logLinesDropped);
  const steps = instruments.observedCounter(metrics.clockSteps);
  const changes = instruments.observedCounter(metrics.historyChanges);
  instruments.observe([database, bus, credits, build, dropped, steps, changes], async (result) => {
    result.observe(changes, parts.historyChanges);
    result.observe(steps, parts.clockSteps());
    result.observe(dropped, parts.droppedLines());
    result.observe(bus, parts.isBusUp() ? 1 : 0);
    const { slots, prefetch } = parts.unspent();
    result.observe(credits, slots, { 'muster.credit.kind': 'slot' });
    result.observe(credits, prefetch, { 'muster.credit.kind': 'prefetch' });
    const { version, protocolVersion } = parts;
    result.observe(build, 1, { 'muster.version': version, 'muster.protocol_version': String(protocolVersion) });
    result.observe(database, (await isAnswered(parts)) ? 1 : 0);
  });
  observeProcess(instruments);
}

async function isAnswered({ askDatabase, timers }: ReplicaParts): Promise<boolean> {
  let timer: { cancel(): void } | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = timers.after(ANSWER_MS, () => resolve(false));
  });
  const answered = askDatabase().then(
    () => true,
    () => false,
  );
  const up = await Promise.race([answered, late]);
  timer?.cancel();
  return up;
}

function observeProcess(instruments: Instruments): void {
  const cpu = instruments.observedCounter(metrics.cpuTime);
  const memory = instruments.gauge(metrics.memory);
  const uptime = instruments.gauge(metrics.uptime);
  const files = instruments.gauge(metrics.fileDescriptors);
  const loop = instruments.observedCounter(metrics.eventLoop);
  const heap = instruments.gauge(metrics.heap);
  instruments.observe([cpu, memory, uptime, files, loop, heap], (result) => {
    const { user, system } = process.cpuUsage();
    result.observe(cpu, user / 1_000_000, { 'cpu.mode': 'user' });
    result.observe(cpu, system / 1_000_000, { 'cpu.mode': 'system' });
    result.observe(memory, process.memoryUsage.rss());
    result.observe(uptime, process.uptime());
    const open = openFiles();
    if (open !== undefined) result.observe(files, open);
    const { active, idle } = performance.eventLoopUtilization();
    result.observe(loop, active / 1_000, { 'nodejs.eventloop.state': 'active' });
    result.observe(loop, idle / 1_000, { 'nodejs.eventloop.state': 'idle' });
    for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
      result.observe(heap, space_used_size, { 'v8js.heap.space.name': space_name });
    }
  });
}

/** Undefined if the system does not provide it. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
