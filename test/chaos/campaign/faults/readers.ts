/** Clients that open streams and don't read them. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, isTerminal } from '@muster-jobs/sdk';
import { eventually } from '../../../support/base/eventually.ts';
import { TcpProxy } from '../../harness/network/tcp-proxy.ts';
import type { World } from '../world.ts';
import { type Fault, require } from './fault.ts';

const READERS = 10;
const READ_MS = 60_000;
const SLOW_MS = 500;

/** Watches all events and one job over a connection of its own. */
interface Reader {
  readonly proxy: TcpProxy;
  /** Pages of events so far. */
  pages: number;
  jobEnded: boolean;
  failure: unknown;
  end(): Promise<void>;
}

const readersSlow: Fault = {
  name: `${READERS} readers of events and of a job that read nothing for two leases`,
  async inflict(world) {
    const { run } = world;
    const readers = await Promise.all(Array.from({ length: READERS }, () => openReader(world)));
    const all = (what: string, isTrue: (reader: Reader) => boolean) =>
      eventually(what, () => checked(readers).every(isTrue), { timeoutMs: READ_MS, everyMs: 50 });
    try {
      await all('each reader has events', ({ pages }) => pages > 0);
      for (const { proxy } of readers) proxy.stall();
      // What had arrived before is read.
      await delay(SLOW_MS);
      const before = readers.map(({ pages }) => pages);
      const ended = await run.facts.endedJobs();
      await Promise.all([delay(2 * run.deployment.leaseMs), run.progress(30)]);
      const unread = (await run.facts.endedJobs()) - ended;
      const none = readers.every(({ pages }, n) => pages === before[n]);
      for (const { proxy } of readers) proxy.resume();
      await all('each reader has more events', ({ pages }) => pages > Math.max(...before));
      await all("each reader has its job's end", ({ jobEnded }) => jobEnded);
      return require(none, `${unread} jobs ended unread`);
    } finally {
      await Promise.all(readers.map((reader) => reader.end()));
    }
  },
};

function checked(readers: readonly Reader[]): readonly Reader[] {
  for (const { failure } of readers) if (failure !== undefined) throw failure;
  return readers;
}

async function openReader({ run, dice }: World): Promise<Reader> {
  const proxy = await TcpProxy.open();
  proxy.aim(dice.pick(run.deployment.replicas).proxy.port);
  const client = new Client({ address: `127.0.0.1:${proxy.port}` });
  const jobId = await run.submit({ definition: 'slow', input: { ms: SLOW_MS } });
  const over = new AbortController();
  const reader: Reader = {
    proxy,
    pages: 0,
    jobEnded: false,
    failure: undefined,
    async end() {
      over.abort();
      await done;
      client.close();
      await proxy.close();
    },
  };
  const watchEvents = async () => {
    for await (const _ of client.watchEvents({ signal: over.signal })) reader.pages++;
  };
  const watchJob = async () => {
    for await (const { state } of client.watch(jobId, { signal: over.signal })) reader.jobEnded ||= isTerminal(state);
  };
  const done = Promise.all([watchEvents(), watchJob()]).catch((error: unknown) => {
    if (!over.signal.aborted) reader.failure = error;
  });
  return reader;
}

export const readerFaults: readonly Fault[] = [readersSlow];
