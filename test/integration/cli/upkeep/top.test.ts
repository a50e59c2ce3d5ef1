/** `muster top`: the current queues and workers, in a terminal and as JSON. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { type CliServer, startCliServer } from '../../../support/cli/cli-server.ts';
import { Terminal } from '../../../support/cli/terminal.ts';

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
  for (let n = 0; n < 3; n++) await server.client.submit('idle', n, { queue: 'waiting' });
  await server.client.submit('gate', {}, { queue: 'running' });
}, 300_000);

afterAll(() => server?.stop());

interface Document {
  readonly queues: { readonly queue: string; readonly endedPerSecond?: number; readonly oldestSeconds?: number }[];
  readonly workers: unknown[];
  readonly problem?: string;
}

async function once(...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await server.run(['top', '--once', '--interval', '1s', '--json', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('muster top --once --json', () => {
  it('shows the backlog, its age and the busy workers', async () => {
    const found = await eventually('the job that runs is held', async () => {
      const one = await once('--http', server.httpAddress);
      return one.queues.some((row) => row.queue === 'running' && 'running' in row && row.running === 1) && one;
    });
    expect(found.queues[0]).toMatchObject({ queue: 'waiting', paused: false, waiting: 3, running: 0, scheduled: 0 });
    expect(found.queues[0]?.oldestSeconds).toBeGreaterThan(0);
    expect(found.workers).toMatchObject([{ name: 'cli-worker', state: 'open', held: 1, deaf: false }]);
    expect(found.problem).toBeUndefined();
  });

  it('shows how many jobs end per second', async () => {
    let going = true;
    const load = (async () => {
      while (going) {
        const job = await server.client.submit('add', { a: 1, b: 2 }, { queue: 'busy' });
        await server.client.wait(job);
      }
    })();
    await eventually('a rate is shown', async () => {
      const { queues } = await once('--http', server.httpAddress);
      return (queues.find(({ queue }) => queue === 'busy')?.endedPerSecond ?? 0) > 0;
    });
    going = false;
    await load;
  });

  it('works without rates and ages if the metrics can not be read', async () => {
    const { queues, problem } = await once('--http', 'http://127.0.0.1:1');
    expect(problem).toMatch(/127\.0\.0\.1:1\/metrics: .*--http URL names the HTTP port of the server/);
    expect(queues.find(({ queue }) => queue === 'waiting')).not.toHaveProperty('oldestSeconds');
  });
});

it('muster top prints once if its output is no terminal', async () => {
  const { code, stdout } = await server.run(['top', '--interval', '100ms', '--http', server.httpAddress]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^QUEUE +STATE +WAITING +RUNNING +SCHEDULED +ENDED\/S +OLDEST$/m);
  expect(stdout).toMatch(/^waiting +open +3 +0 +0 +\S+ +\S+$/m);
  expect(stdout).toMatch(/^cli-worker +open +1 +\d+ +\S+$/m);
});

describe('muster top in a terminal', () => {
  let terminal: Terminal;

  beforeAll(async () => {
    terminal = await Terminal.open({ width: 90, height: 14, env: { MUSTER_SERVER: server.address } });
  }, 300_000);

  afterAll(() => terminal?.close());

  it('updates the table in place, and leaves the screen as it was at Ctrl-C', async () => {
    await terminal.clear();
    await terminal.enter(`muster top --interval 200ms --http ${server.httpAddress}; echo "exit code $?"`);
    const first = await terminal.shows(/^waiting +open +3 /m);
    expect(first).toMatch(/^muster 127\.0\.0\.1:\d+ +namespace default$/m);
    expect(first).toMatch(/3 waiting · 1 running .*1 worker with \d+ slots?/);
    expect(first.split('\n').length).toBeLessThanOrEqual(14);
    await server.client.submit('idle', 3, { queue: 'waiting' });
    const second = await terminal.shows(/^waiting +open +4 /m);
    expect(second.match(/^QUEUE/gm)).toHaveLength(1);
    await terminal.press('C-c');
    const { lines, code } = await terminal.finished();
    expect([code, lines.join('').replace('^C', '').trim()]).toEqual([130, '']);
    expect(await terminal.isSane()).toBe(true);
  });
});
