/** The report of a simulation adds up: computed from change to change, it equals a sum over each millisecond. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedJob } from '../../../server/tools/simulate/recorder.ts';
import { limitsOf } from '../../../server/tools/simulate/report/limits-of.ts';
import { causes } from '../../../server/tools/simulate/report/report-types.ts';
import { spreadOf } from '../../../server/tools/simulate/report/spread.ts';
import { waitsOf } from '../../../server/tools/simulate/report/stretches.ts';
import { timelineOf } from '../../../server/tools/simulate/report/timeline.ts';

const SPAN_MS = 60;
const scenario = {
  definitions: [
    { name: 'a', task: {}, maxConcurrency: 2, keyLimit: { key: 'labels.k', maxConcurrency: 1 } },
    { name: 'b', task: {}, keyLimit: { maxConcurrency: 2 } },
  ],
  queues: [{ name: 'q', maxConcurrency: 2 }],
  workers: [{ name: 'w', slots: 3, handlers: undefined, labels: {}, resources: {} }],
};

const times = fc.uniqueArray(fc.nat(SPAN_MS), { minLength: 0, maxLength: 6 }).map((all) => all.sort((x, y) => x - y));

/** Waits, runs, waits, …, and ends at some time or never. */
const someJob = fc
  .record({
    times,
    definition: fc.constantFrom('a', 'b'),
    queue: fc.constantFrom('q', 'r'),
    key: fc.constantFrom('', 'x', 'y'),
    fairnessKey: fc.constantFrom('', 'x'),
  })
  .map(({ times: [...at], definition, queue, key, fairnessKey }) => {
    const readyMs = at.filter((_, i) => i % 3 === 0);
    const attempts = readyMs.flatMap((_, i) => {
      const startMs = at[3 * i + 1];
      return startMs === undefined ? [] : [{ startMs, endMs: at[3 * i + 2], worker: 0 }];
    });
    return {
      arrival: { definition },
      queue,
      limitKey: definition === 'a' ? key : '',
      fairnessKey,
      readyMs,
      attempts,
      endMs: undefined,
    } as unknown as RecordedJob;
  });

const covers = (fromMs: number, toMs: number, ms: number) => fromMs <= ms && ms < toMs;
const waitsAt = (job: RecordedJob, ms: number) => waitsOf(job, SPAN_MS).some((one) => covers(one.fromMs, one.toMs, ms));
const runsAt = ({ attempts }: RecordedJob, ms: number) =>
  attempts.some(({ startMs, endMs = SPAN_MS }) => covers(startMs, endMs, ms));

/** The cause that blocks one job in one millisecond, computed from all others. */
function causeAt(jobs: readonly RecordedJob[], job: RecordedJob, ms: number): (typeof causes)[number] {
  const held = (fits: (other: RecordedJob) => boolean) =>
    jobs.filter((other) => fits(other) && runsAt(other, ms)).length;
  const { definition } = job.arrival;
  const ofDefinition = (other: RecordedJob) => other.arrival.definition === definition;
  if (
    definition === 'a' &&
    job.limitKey &&
    held((other) => ofDefinition(other) && other.limitKey === job.limitKey) >= 1
  )
    return 'key';
  if (definition === 'b' && held(ofDefinition) >= 2) return 'key';
  if (definition === 'a' && held(ofDefinition) >= 2) return 'definition';
  if (job.queue === 'q' && held(({ queue }) => queue === 'q') >= 2) return 'queue';
  return held(() => true) >= 3 ? 'workers' : 'other';
}

describe('the timeline', () => {
  it('equals a sum over each millisecond', () => {
    fc.assert(
      fc.property(fc.array(someJob, { maxLength: 8 }), (jobs) => {
        const timeline = timelineOf({ jobs, limits: limitsOf(scenario), slots: [3], spanMs: SPAN_MS });
        const found: (typeof causes)[number][] = [];
        let [longest, most] = [0, 0];
        for (let ms = 0; ms < SPAN_MS; ms++) {
          const waiting = jobs.filter((job) => waitsAt(job, ms));
          longest = Math.max(longest, waiting.length);
          most = Math.max(most, jobs.filter((job) => runsAt(job, ms)).length);
          for (const job of waiting) found.push(causeAt(jobs, job, ms));
        }
        const expected = Object.fromEntries(
          causes.map((cause) => [cause, found.filter((one) => one === cause).length]),
        );
        expect(timeline.all.heldBackMs).toEqual(expected);
        expect([timeline.all.longest, timeline.all.mostHeld]).toEqual([longest, most]);
        for (const groups of [timeline.queues, timeline.definitions])
          for (const cause of causes)
            expect([...groups.values()].reduce((sum, { heldBackMs }) => sum + heldBackMs[cause], 0)).toBe(
              expected[cause],
            );
        const area = Object.values(timeline.series.waiting).flat();
        expect(area.reduce((sum, mean) => sum + mean * timeline.series.stepMs, 0)).toBeCloseTo(found.length, 6);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the workers that may run a job', () => {
  it('are those that placement allows', () => {
    const worker = (resources: Record<string, number>, zone: string, handlers?: string[]) => ({
      name: 'w',
      slots: 1,
      handlers,
      labels: { zone },
      resources,
    });
    const demands = { resources: { gpu: 1 }, required: 'labels.zone != "a"' };
    const workers = [
      worker({ gpu: 1 }, 'b'),
      worker({ gpu: 1 }, 'a'),
      worker({ gpu: 0.5 }, 'b'),
      worker({}, 'b'),
      worker({ gpu: 2 }, 'c', ['d']),
      worker({ gpu: 2 }, 'c', ['other']),
    ];
    const definitions = [{ name: 'd', demands }, { name: 'e' }];
    const limits = limitsOf({ definitions, queues: [], workers }).definitions;
    expect(limits.get('d')?.workers).toEqual([0, 4]);
    expect(limits.get('e')?.workers).toEqual([0, 1, 2, 3]);
  });
});

describe('percentiles', () => {
  it('are existing values, by nearest rank', () => {
    expect(spreadOf([])).toBeUndefined();
    expect(spreadOf([5])).toEqual({ p50: 5, p90: 5, p99: 5, max: 5 });
    expect(spreadOf(Array.from({ length: 100 }, (_, at) => 100 - at))).toEqual({ p50: 50, p90: 90, p99: 99, max: 100 });
  });
});
