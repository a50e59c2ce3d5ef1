/** Changes of a transaction are counted when it commits, and not otherwise. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseMetrics, sumOf } from '../../../server/cli/top/metrics-text.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { SubmitCall } from '../../../server/engine/ports/submissions.ts';
import { metrics } from '../../../server/telemetry/metrics/catalogue.ts';
import { type Metrics, openMetrics } from '../../../server/telemetry/metrics/open-metrics.ts';
import { prometheusName } from '../../../server/telemetry/metrics/prometheus.ts';
import { VirtualTime } from '../engine/base/virtual-time.ts';

const lane = { namespace: 'default', queue: 'q', definition: 'd', definitionVersion: 1, demands: '', suspect: false };
const jobId = '0198c0de-0000-7000-8000-000000000001';
const call = { namespace: 'default', keys: [], jobs: [{ jobId, laneId: 7 }] } as unknown as SubmitCall;

let opened: Metrics;
let store: Store;
let broken: Error | undefined;

/** Accepts every change at once, and stores nothing. */
const forgetful = {
  ensureLane: async () => 7,
  submit: async (calls: readonly SubmitCall[]) => {
    if (broken) throw broken;
    return calls.map(({ jobs }) => ({
      kind: 'stored',
      jobs: jobs.map((job) => ({ jobId: job.jobId, existing: false, assigned: false })),
    }));
  },
  together: (work: (inner: Store) => Promise<unknown>) => work(forgetful as unknown as Store),
};

beforeEach(async () => {
  broken = undefined;
  const time = new VirtualTime();
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  opened = openMetrics({ version: '1', protocolVersion: 1, clock: time, timers: time, log, env: {} });
  store = opened.measure(forgetful as unknown as Store, () => 0);
  await store.ensureLane(lane);
});

afterEach(() => opened.stop());

async function submitted(): Promise<number> {
  return sumOf(parseMetrics(await opened.page.read()), prometheusName(metrics.jobsSubmitted)) ?? 0;
}

it('a transaction is counted when it has committed', async () => {
  await store.together(async (inner) => {
    await inner.submit([call]);
    expect(await inner.ensureLane(lane)).toBe(7);
  });
  await store.submit([call]);
  expect(await submitted()).toBe(2);
});

it('a transaction is not counted when it was rolled back', async () => {
  const undone = store.together(async (inner) => {
    await inner.submit([call]);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  expect(await submitted()).toBe(0);
});

it('a transaction is not counted when it failed, and its time is recorded under the class of the failure', async () => {
  broken = Object.assign(new Error('no'), { code: '53300' });
  await expect(store.submit([call])).rejects.toBe(broken);
  const all = parseMetrics(await opened.page.read());
  const labels = { muster_flush_kind: 'submit', error_type: '53' };
  expect(sumOf(all, 'muster_store_flush_duration_seconds_count', labels)).toBe(1);
  expect(sumOf(all, prometheusName(metrics.jobsSubmitted))).toBeUndefined();
});
