/** The options of roll-outs, and what `muster apply --rollout` and `muster rollout` show. */
import { PassThrough } from 'node:stream';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ApplyJobDefinitionResponse,
  ApplyJobDefinitionResponseSchema,
  type Rollout,
  RolloutSchema,
  RolloutState,
} from '@muster-jobs/sdk/grpc';
import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  type ApplyRolloutOptions,
  addApplyRolloutOptions,
  addSetRolloutOptions,
  changedRollout,
  fraction,
  rolloutOf,
  rolloutSteps,
  type SetRolloutOptions,
} from '../../../server/cli/commands/definitions/rollout-options.ts';
import { showApplied } from '../../../server/cli/output/applied-view.ts';
import { Output } from '../../../server/cli/output/output.ts';
import {
  failedText,
  nextText,
  rolloutColumns,
  showRollout,
  stepsText,
  stepText,
} from '../../../server/cli/output/rollout-view.ts';

const START = Date.UTC(2026, 4, 4, 9, 30);
const MINUTE = 60_000;

type Parts = Exclude<MessageInitShape<typeof RolloutSchema>, Rollout>;

/** At its second step of three. */
function rolloutWith(parts: Parts = {}): Rollout {
  return create(RolloutSchema, {
    definition: 'mail',
    version: 3,
    baseVersion: 2,
    state: RolloutState.OPEN,
    step: 1,
    stepTime: timestampFromMs(START),
    startTime: timestampFromMs(START - 10 * MINUTE),
    checkTime: timestampFromMs(START),
    settings: {
      steps: rolloutSteps('5:10m,25:1h,100:10m'),
      labels: { tier: 'internal' },
      minJobCount: 20,
      maxFailureIncrease: 0.05,
    },
    counts: { endedCount: 14, failedCount: 1 },
    baseCounts: { endedCount: 200, failedCount: 5 },
    ...parts,
  });
}

function shown(show: (out: Output) => void): string {
  let text = '';
  const stream = new PassThrough().on('data', (part) => (text += String(part)));
  show(new Output(false, { stdout: stream, stderr: stream }));
  return text;
}

describe('the steps of a roll-out', () => {
  it('are percentages with holds, and the last may have none', () => {
    expect(rolloutSteps('5:10m,25:1h30m,100')).toMatchObject([
      { percent: 5, hold: { seconds: 600n } },
      { percent: 25, hold: { seconds: 5_400n } },
      { percent: 100 },
    ]);
    expect(rolloutSteps('10')[0]).not.toHaveProperty('hold');
  });

  it.each([
    ['', /PERCENT\[:HOLD\]/],
    ['5:', /PERCENT\[:HOLD\]/],
    ['5:soon', /PERCENT\[:HOLD\]/],
    ['5%:10m', /PERCENT\[:HOLD\]/],
    ['5:10m,', /PERCENT\[:HOLD\]/],
    ['101', /from 0 to 100/],
    ['25:1h,25:1h', /a higher percentage than the one before/],
    ['25:1h,5', /a higher percentage than the one before/],
  ])('of %j are refused', (text, message) => {
    expect(() => rolloutSteps(text)).toThrow(InvalidArgumentError);
    expect(() => rolloutSteps(text)).toThrow(message);
  });
});

describe('a fraction', () => {
  it.each([
    ['0', 0],
    ['.05', 0.05],
    ['1', 1],
  ])('of %j is taken', (text, value) => expect(fraction(text)).toBe(value));

  it.each(['5%', '1.1', '-0.1', '', '1e-2'])('of %j is refused', (text) => {
    expect(() => fraction(text)).toThrow(InvalidArgumentError);
  });
});

describe('the options of muster apply', () => {
  const settings = (...args: string[]) => {
    const command = addApplyRolloutOptions(new Command()).exitOverride();
    command.parse(args, { from: 'user' });
    return rolloutOf(command.opts<ApplyRolloutOptions>());
  };

  it('become the settings of a roll-out', () => {
    const rules = ['--min-jobs', '50', '--max-failure-increase', '0'];
    const labels = ['--rollout-label', 'tier=internal', '--rollout-label', 'shop=vienna'];
    expect(settings('--rollout', '10', ...labels, ...rules)).toMatchObject({
      steps: [{ percent: 10 }],
      labels: { tier: 'internal', shop: 'vienna' },
      minJobCount: 50,
      maxFailureIncrease: 0,
    });
  });

  it('leave the defaults to the server', () => {
    expect(settings()).toBeUndefined();
    expect(settings('--rollout', '10')).toMatchObject({ labels: {}, minJobCount: 0 });
    expect(settings('--rollout', '10')).not.toHaveProperty('maxFailureIncrease', expect.anything());
  });

  it.each([
    ['--rollout-label', 'a=b'],
    ['--min-jobs', '5'],
    ['--max-failure-increase', '0.5'],
  ])('are refused without --rollout: %s %s', (...args) => {
    expect(() => settings(...args)).toThrow(/need --rollout/);
  });
});

describe('the options of muster rollout set', () => {
  const changed = (...args: string[]) => {
    const command = addSetRolloutOptions(new Command()).exitOverride();
    command.parse(args, { from: 'user' });
    return changedRollout(rolloutWith().settings, command.opts<SetRolloutOptions>());
  };

  it('keep the settings that they leave out', () => {
    expect(changed('--steps', '50')).toMatchObject({
      steps: [{ percent: 50 }],
      labels: { tier: 'internal' },
      minJobCount: 20,
      maxFailureIncrease: 0.05,
    });
  });

  it('replace the settings that they name', () => {
    const rules = ['--min-jobs', '5', '--max-failure-increase', '0'];
    expect(changed('--steps', '50', '--label', 'a=b', ...rules)).toMatchObject({
      labels: { a: 'b' },
      minJobCount: 5,
      maxFailureIncrease: 0,
    });
    expect(changed('--steps', '50', '--no-labels').labels).toEqual({});
  });

  it('refuse --label with --no-labels', () => {
    expect(() => changed('--steps', '50', '--label', 'a=b', '--no-labels')).toThrow(/either --label or --no-labels/);
  });
});

describe('a roll-out', () => {
  it('has its steps in one line', () => {
    expect(stepsText(rolloutWith().settings)).toBe('5 % for 10m, 25 % for 1h, 100 % for 10m');
    expect(stepText(rolloutWith())).toBe('step 2 of 3, 25 % of the new jobs for at least 1h');
    expect(stepText(rolloutWith({ step: 0, settings: { steps: [{ percent: 10 }] } }))).toBe(
      'step 1 of 1, 10 % of the new jobs until it is changed',
    );
  });

  it('has a failure rate for each version, once jobs have ended', () => {
    expect(failedText(rolloutWith().counts)).toBe('7.1 %');
    expect(failedText(rolloutWith().baseCounts)).toBe('2.5 %');
    expect(failedText(undefined)).toBe('');
  });

  it.each<[string, number, Parts]>([
    ['100 % of the new jobs, in 50m at the earliest, and once 6 more jobs of version 3 have ended', 10, {}],
    ['100 % of the new jobs, once 1 more job of version 3 has ended', 61, { counts: { endedCount: 19 } }],
    ['100 % of the new jobs, within seconds', 61, { counts: { endedCount: 20 } }],
    ['it is promoted, in 10m', 0, { step: 2, counts: { endedCount: 20 } }],
    ['no worker serves version 3: the step begins anew once one does', 10, { waitsForWorkers: true }],
    [
      'it is judged within seconds; until then no job takes the version',
      0,
      { waitsForWorkers: true, checkTime: undefined },
    ],
    ['nothing by itself', 10, { step: 0, settings: { steps: [{ percent: 10 }] } }],
  ])('has this next: %s', (text, minutes, parts) => {
    expect(nextText(rolloutWith(parts), START + minutes * MINUTE)).toBe(text);
  });

  it('is shown with both versions side by side, and with what to do next', () => {
    const text = shown((out) => showRollout(out, rolloutWith()));
    expect(text).toMatch(/^Roll-out of mail version 3 {2}OPEN\n +step +2 of 3, 25 % of the new jobs for at least 1h\n/);
    expect(text).toMatch(/\n +labels +jobs with tier=internal take version 3\n/);
    expect(text).toMatch(
      /\n +rolled back +if its rate exceeds that of version 2 by more than 5 %, once 20 of its jobs have ended\n/,
    );
    expect(text).toMatch(/\nVERSION +ENDED +FAILED +RATE\n3 \(new\) +14 +1 +7\.1 %\n2 +200 +5 +2\.5 %\n/);
    expect(text).toMatch(/next {2}muster rollout promote mail: all new jobs take version 3\n/);
    expect(text).toMatch(/next {2}muster rollout rollback mail: all new jobs take version 2\n/);
  });

  it('that waits for workers names the command that shows them', () => {
    const text = shown((out) => showRollout(out, rolloutWith({ waitsForWorkers: true, counts: {}, baseCounts: {} })));
    expect(text).toMatch(/\n3 \(new\) +0 +0 +-\n/);
    expect(text).toMatch(/next {2}muster workers list: the connected workers\n/);
  });

  it('that is never rolled back by itself says so', () => {
    const settings = { steps: [{ percent: 10 }], maxFailureIncrease: 1 };
    expect(shown((out) => showRollout(out, rolloutWith({ settings })))).toMatch(/rolled back +never by itself\n/);
  });

  it.each([
    [
      RolloutState.ROLLED_BACK,
      'ROLLED_BACK',
      /next {2}muster list --definition mail --state FAILED: .*\nnext {2}muster apply/,
    ],
    [RolloutState.SUPERSEDED, 'SUPERSEDED', /next {2}muster definitions get mail: the newest version\n$/],
    [RolloutState.PROMOTED, 'PROMOTED', /2\.5 %\n$/],
  ])('that has ended shows why: %s', (state, name, next) => {
    const endTime = timestampFromMs(START);
    const text = shown((out) => showRollout(out, rolloutWith({ state, endTime, reason: 'too \u001bslow' })));
    expect(text).toMatch(new RegExp(`^Roll-out of mail version 3  ${name}\\n +reason +too \\\\eslow\\n`));
    expect(text).toMatch(/\n +ended +2026-05-04T09:30:00\.000Z/);
    expect(text).not.toMatch(/\n +(next|rolled back) {2,}\S+ /);
    expect(text).toMatch(next);
  });

  it('is a line of a table', () => {
    const rows = [
      rolloutWith({ waitsForWorkers: true }),
      rolloutWith({ state: RolloutState.SUPERSEDED, reason: 'why' }),
    ];
    const text = shown((out) => out.table(rolloutColumns(out), rows));
    expect(text).toMatch(
      /^DEFINITION +VERSION +STATE +STEP +FAILED +BASE +FAILED +AGE +REMARK\nmail +3 +OPEN +2 of 3: 25 % +7\.1 % +2 +2\.5 % +\S+ +no worker serves the new version\n/,
    );
    expect(text).toMatch(/\nmail +3 +SUPERSEDED +2 of 3 .* why\n$/);
  });
});

describe('an applied definition', () => {
  const applied = (
    response: Exclude<MessageInitShape<typeof ApplyJobDefinitionResponseSchema>, ApplyJobDefinitionResponse>,
    dryRun = false,
    rollout = rolloutWith().settings,
  ) =>
    shown((out) =>
      showApplied(
        out,
        create(ApplyJobDefinitionResponseSchema, { definition: { name: 'mail', version: 3 }, ...response }),
        {
          dryRun,
          rollout,
        },
      ),
    );

  it('that is being rolled out says so, and what to run next', () => {
    const rollout = rolloutWith({ step: 0 });
    const lines = [
      'mail  version 3 is made',
      '  It is being rolled out: step 1 of 3, 5 % of the new jobs for at least 10m',
      '  muster rollout status mail shows the progress; muster rollout promote mail, or rollback, ends it',
    ];
    expect(applied({ created: true, rollout })).toBe(`${lines.join('\n')}\n`);
    expect(applied({ rollout }, false, undefined)).toContain('unchanged, version 3\n  It is being rolled out: step 1');
  });

  it('says with --dry-run how it would be rolled out', () => {
    expect(applied({ created: true }, true)).toBe(
      'mail  would become version 3\n  It would be rolled out: 5 % for 10m, 25 % for 1h, 100 % for 10m\n',
    );
  });

  it('that is unchanged says that nothing is rolled out', () => {
    const ended = rolloutWith({ state: RolloutState.PROMOTED });
    const line = 'mail  unchanged, version 3\n';
    expect(applied({ rollout: ended })).toBe(
      `${line}  Its content is that of the newest version: nothing is rolled out\n`,
    );
    expect(applied({ rollout: ended }, true, undefined)).toBe(line);
  });
});
