/** Each peer's adapter at tiny sizes: the benchmark counts only jobs that have run and whose end is recorded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peers } from './catalog.ts';
import { QUICK } from './measure.ts';
import { steadyRate, wholeLife } from './measures/whole-life.ts';
import { RunningPeer } from './running-peer.ts';
import { type Services, startServices } from './services.ts';

const TINY = { ...QUICK, seconds: 0.05 };

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

describe.each(peers.map((peer) => [peer.name, peer] as const))('%s', (_, peer) => {
  let running: RunningPeer;
  beforeAll(async () => {
    if (peer.missing()) return;
    running = await RunningPeer.start(peer, services);
  });
  afterAll(async () => {
    await running?.stop();
  });
  const reason = peer.missing();
  const test = reason === undefined ? it : (name: string, _body: () => Promise<void>) => it.skip(`${name}: ${reason}`);

  test('counts a job as open until it has run and its end is recorded', async () => {
    await running.submitMany({ queue: 'main', kind: 'nothing', count: 30, batch: 10, width: 2 });
    expect(await running.open(['main'])).toEqual({ open: 30, failed: 0 });
    const worker = await running.worker('main');
    await worker.untilHandled(30);
    await running.waitIdle('main');
    expect(worker.handled).toBe(30);
    await worker.stop();
  });

  test('does not count a job that still runs, nor one whose worker was killed', async () => {
    const worker = await running.worker('watched');
    const started = worker.next('started');
    await running.submit({ queue: 'watched', kind: 'hold' });
    await started;
    expect(worker.handled).toBe(0);
    expect((await running.open(['watched'])).open).toBe(1);
    await worker.kill();
    expect((await running.open(['watched'])).open).toBe(1);
  });

  test('measures a rate over all jobs, each of which runs exactly once', async () => {
    const worker = await running.worker('main');
    expect(await wholeLife(running, worker, { count: 200, batch: 50, width: 2 })).toBeGreaterThan(0);
    expect(worker.handled).toBe(200);
    expect(await steadyRate(running, worker, TINY)).toBeGreaterThan(0);
    await worker.stop();
  });

  test('reports how long each job has waited', async () => {
    const worker = await running.worker('main', 'other');
    await running.submitSteadily({ queue: 'other', kind: 'clock', rate: 100, seconds: 0.5 });
    await worker.untilHandled(50);
    await running.waitIdle('other');
    const waits = worker.takeWaits();
    expect(waits).toHaveLength(50);
    expect(Math.min(...waits)).toBeGreaterThan(0);
    await worker.stop();
  });
});
