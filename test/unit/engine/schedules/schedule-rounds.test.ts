/** Runs of triggers: their inputs are in memory a few at a time, and no job is submitted without its own. */
import { describe, expect, it } from 'vitest';
import type { PendingRun, RunKey } from '../../../../server/domain/schedules/schedule.ts';
import type { ScannedSchedule } from '../../../../server/engine/ports/schedules.ts';
import type { Submission } from '../../../../server/engine/ports/submissions.ts';
import { ScheduleRounds, type ScheduleRoundsParts } from '../../../../server/engine/schedules/schedule-rounds.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

function scannedTrigger(name: string, runs: number): ScannedSchedule {
  const starting = Array.from(
    { length: runs },
    (_, i): PendingRun => ({
      ...{ nominalUs: i, causeId: `${name}${i}`, cause: 'TRIGGER', overlap: 'ALLOW_ALL' },
    }),
  );
  const job = { definition: 'd', definitionVersion: 0, queue: '', input: undefined, labels: {} };
  const schedule = { namespace: 'default', name, scheduleId: name, kind: 'TRIGGER', job };
  return { schedule: schedule as unknown as ScannedSchedule['schedule'], starting, cancelJobIds: [] };
}

/** One round over the triggers. Settlements take a moment, as the database does. */
async function roundOf(scanned: readonly ScannedSchedule[], inputOf: (run: RunKey) => Uint8Array | undefined) {
  const time = new VirtualTime();
  const pages: ScannedSchedule[][] = [[...scanned], []];
  const submitted: Submission[] = [];
  const settled: string[] = [];
  let [held, maxHeld] = [0, 0];
  const schedules = {
    scan: async () => pages.shift() ?? [],
    readNextScanUs: async () => undefined,
    readRunInputs: async (_: string, runs: readonly RunKey[]) => {
      held += runs.length;
      maxHeld = Math.max(maxHeld, held);
      return new Map(runs.map((run) => [run.causeId, inputOf(run)]));
    },
    settle: async (all: readonly { results: readonly RunKey[] }[]) => {
      await settle();
      for (const { results } of all) settled.push(...results.map(({ causeId }) => causeId));
      held = 0;
    },
  };
  const submit = async ({ submissions }: { submissions: readonly Submission[] }) => {
    submitted.push(...submissions);
    return [{ jobId: 'j', duplicate: false }];
  };
  const rounds = new ScheduleRounds({
    ...({ store: { schedules }, submissions: { submit } } as unknown as ScheduleRoundsParts),
    clock: { nowUs: () => time.now() * 1_000 } as ScheduleRoundsParts['clock'],
    timers: time,
    random: constantRandom(0.5),
    log: { info() {}, error() {}, warn() {} },
    cancel: async () => {},
    onStarted() {},
  });
  rounds.start();
  await time.advance(1_000);
  await rounds.stop();
  return { submitted, settled, maxHeld };
}

const inputOf = ({ causeId }: RunKey) => Buffer.from(causeId);

describe('the runs of triggers', () => {
  it('are submitted 16 at a time, and those of several triggers one after the other', async () => {
    const { settled, submitted, maxHeld } = await roundOf([scannedTrigger('a', 40), scannedTrigger('b', 17)], inputOf);
    expect(settled).toHaveLength(57);
    expect(submitted.map(({ input }) => String(Buffer.from(input?.data ?? [])))).toEqual(settled);
    expect(maxHeld).toBe(16);
  });

  it('without an input, because the trigger was deleted meanwhile, submit no job', async () => {
    const { settled, submitted } = await roundOf([scannedTrigger('a', 3)], (run) =>
      run.causeId === 'a1' ? undefined : inputOf(run),
    );
    expect(submitted).toHaveLength(2);
    expect(settled).toEqual(['a0', 'a2']);
  });
});
