/** Shows roll-outs: their state, what comes next, and how the two versions compare. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  durationToMs,
  type Rollout,
  type RolloutCounts,
  type RolloutSettings,
  RolloutState,
  type RolloutStep,
} from '@muster-jobs/sdk/grpc';
import {
  type EndedCounts,
  failsTooOften,
  failureRate,
  rateText,
  withRetries,
} from '../../domain/base/failure-rates.ts';
import { countText, durationText, spanText } from '../../view/times.ts';
import type { Output, Style } from './output.ts';
import { printable } from './printable.ts';
import { nameIn } from './schedule-view.ts';
import type { Column } from './table.ts';
import { ageText, timeText } from './times.ts';

/** Steps in one line, such as `5 % for 10m, 25 % for 1h, 100 % until it is changed`. */
export function stepsText(settings: RolloutSettings | undefined): string {
  return (settings?.steps ?? []).map(({ percent, hold }) => `${percent} % ${holdText(hold)}`).join(', ');
}

function holdText(hold: RolloutStep['hold']): string {
  return hold ? `for ${durationText(hold)}` : 'until it is changed';
}

/** The present step in one line, such as `step 1 of 3, 5 % of the new jobs for at least 10m`. */
export function stepText({ settings, step }: Rollout): string {
  const { steps = [] } = settings ?? {};
  const { percent = 0, hold } = steps[step] ?? {};
  const lasts = hold ? `for at least ${durationText(hold)}` : 'until it is changed';
  return `step ${step + 1} of ${steps.length}, ${percent} % of the new jobs ${lasts}`;
}

const endedOf = (counts: RolloutCounts | undefined): EndedCounts => ({
  ended: counts?.endedCount ?? 0,
  failed: counts?.failedCount ?? 0,
});

/** The fraction of failed jobs, such as `7.1 %`; empty if none has ended. */
export function failedText(counts: RolloutCounts | undefined): string {
  const ended = endedOf(counts);
  return ended.ended === 0 ? '' : rateText(failureRate(ended));
}

const styles: Readonly<Record<number, Style>> = {
  [RolloutState.OPEN]: 'cyan',
  [RolloutState.PROMOTED]: 'green',
  [RolloutState.ROLLED_BACK]: 'red',
};

function stateText(out: Output, state: RolloutState, text = nameIn(RolloutState, state)): string {
  const style = styles[state];
  return style ? out.styled(style, text) : text;
}

export function rolloutColumns(out: Output): Column<Rollout>[] {
  return [
    { title: 'DEFINITION', value: ({ definition }) => definition },
    { title: 'VERSION', value: ({ version }) => String(version) },
    {
      title: 'STATE',
      value: ({ state }) => nameIn(RolloutState, state),
      style: (text, { state }) => stateText(out, state, text),
    },
    { title: 'STEP', value: briefStep },
    { title: 'FAILED', value: ({ counts }) => failedText(counts) },
    { title: 'BASE', value: ({ baseVersion }) => String(baseVersion) },
    { title: 'FAILED', value: ({ baseCounts }) => failedText(baseCounts) },
    { title: 'AGE', value: ({ startTime }) => ageText(startTime) },
    { title: 'REMARK', value: remarkText, min: 6 },
  ];
}

function briefStep({ settings, step, state }: Rollout): string {
  const { steps = [] } = settings ?? {};
  const percent = state === RolloutState.OPEN ? `: ${steps[step]?.percent ?? 0} %` : '';
  return `${step + 1} of ${steps.length}${percent}`;
}

function remarkText(rollout: Rollout): string {
  return lacksWorkers(rollout) ? 'no worker serves the new version' : rollout.reason;
}

/** Before it is judged, nobody knows whether there are some. */
function lacksWorkers({ waitsForWorkers, checkTime }: Rollout): boolean {
  return waitsForWorkers && checkTime !== undefined;
}

export function showRollout(out: Output, rollout: Rollout): void {
  const { definition, version, state } = rollout;
  const title = out.styled('bold', `Roll-out of ${definition} version ${version}`);
  out.line(`${title}  ${stateText(out, state)}`);
  const isOpen = state === RolloutState.OPEN;
  out.facts(
    [
      ['reason', rollout.reason],
      ['step', `${stepText(rollout).replace('step ', '')}`],
      ['since', isOpen ? timeText(rollout.stepTime) : ''],
      ['next', isOpen ? nextText(rollout, Date.now()) : ''],
      ['all steps', stepsText(rollout.settings)],
      ['labels', labelsText(rollout)],
      ['rolled back', isOpen ? limitText(rollout) : ''],
      ['tried again', isOpen ? retryingText(rollout) : ''],
      ['begun', timeText(rollout.startTime)],
      ['ended', timeText(rollout.endTime)],
      ['judged', timeText(rollout.checkTime)],
    ],
    '  ',
  );
  out.table(versionColumns, versionsOf(rollout));
  for (const [command, what] of commandsFor(rollout)) out.line(`${out.styled('dim', 'next')}  ${command}: ${what}`);
}

function labelsText({ settings, version }: Rollout): string {
  const labels = Object.entries(settings?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return labels.length === 0 ? '' : `jobs with ${labels.join(' and ')} take version ${version}`;
}

function limitText({ settings, baseVersion }: Rollout): string {
  const { maxFailureIncrease = 0.1, minJobCount = 0 } = settings ?? {};
  if (maxFailureIncrease >= 1) return 'never by itself';
  const bound = `by more than ${rateText(maxFailureIncrease)}`;
  return `if its rate exceeds that of version ${baseVersion} ${bound}, once ${minJobCount} of its jobs have ended`;
}

function retryingText({ counts, version }: Rollout): string {
  const { retryingCount = 0 } = counts ?? {};
  return retryingCount === 0 ? '' : `${countText(retryingCount, 'job')} of version ${version} after a failed attempt`;
}

/** When the next step may come, and what it is. */
export function nextText(rollout: Rollout, nowMs: number): string {
  const { settings, step, stepTime, counts, version, waitsForWorkers } = rollout;
  const { steps = [], minJobCount = 0 } = settings ?? {};
  if (waitsForWorkers && !lacksWorkers(rollout))
    return 'it is judged within seconds; until then no job takes the version';
  if (waitsForWorkers) return `no worker serves version ${version}: the step begins anew once one does`;
  const hold = steps[step]?.hold;
  if (!hold || !stepTime) return 'nothing by itself';
  const then = steps[step + 1] ? `${steps[step + 1]?.percent} % of the new jobs` : 'it is promoted';
  const leftMs = timestampDate(stepTime).getTime() + durationToMs(hold, 0) - nowMs;
  const missing = minJobCount - (counts?.endedCount ?? 0);
  const conditions = [
    ...(leftMs > 0 ? [`in ${spanText(leftMs)}`] : []),
    ...(missing > 0
      ? [`once ${countText(missing, 'more job')} of version ${version} ${missing === 1 ? 'has' : 'have'} ended`]
      : []),
    ...(missing <= 0 && mayGetWorse(rollout) ? ['once more of its jobs that are tried again have ended'] : []),
  ];
  return `${then}, ${conditions.length === 0 ? 'within seconds' : conditions.join(' at the earliest, and ')}`;
}

/** Whether it would fail too often if all jobs that are tried again failed. */
function mayGetWorse({ counts, baseCounts, settings }: Rollout): boolean {
  const worst = withRetries(endedOf(counts), counts?.retryingCount ?? 0);
  return failsTooOften(worst, endedOf(baseCounts), settings?.maxFailureIncrease ?? 0.1);
}

interface ComparedVersion {
  readonly name: string;
  readonly counts: RolloutCounts | undefined;
}

const versionColumns: readonly Column<ComparedVersion>[] = [
  { title: 'VERSION', value: ({ name }) => name },
  { title: 'ENDED', value: ({ counts }) => String(counts?.endedCount ?? 0) },
  { title: 'FAILED', value: ({ counts }) => String(counts?.failedCount ?? 0) },
  { title: 'RATE', value: ({ counts }) => failedText(counts) || '-' },
];

function versionsOf({ version, baseVersion, counts, baseCounts }: Rollout): ComparedVersion[] {
  return [
    { name: `${version} (new)`, counts },
    { name: `${baseVersion}`, counts: baseCounts },
  ];
}

/** Commands that may come next, each with what it does. */
export function commandsFor(rollout: Rollout): (readonly [command: string, what: string])[] {
  const { definition, version, baseVersion, state } = rollout;
  const name = printable(definition);
  const failed = [`muster list --definition ${name} --state FAILED`, 'the jobs that failed'] as const;
  const further = ['muster apply -f FILE --rollout STEPS', 'roll out a further version'] as const;
  switch (state) {
    case RolloutState.OPEN:
      return [
        ...(lacksWorkers(rollout) ? [['muster workers list', 'the connected workers'] as const] : []),
        [`muster rollout promote ${name}`, `all new jobs take version ${version}`],
        [`muster rollout rollback ${name}`, `all new jobs take version ${baseVersion}`],
        [`muster rollout set ${name} --steps STEPS`, 'begin with other steps'],
      ];
    case RolloutState.ROLLED_BACK:
      return [failed, further];
    case RolloutState.SUPERSEDED:
      return [[`muster definitions get ${name}`, 'the newest version']];
    default:
      return [];
  }
}
