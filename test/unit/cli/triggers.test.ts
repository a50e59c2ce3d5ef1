/** The options of `muster triggers set`, and what its commands show. */
import { PassThrough } from 'node:stream';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  ExplainTriggerResponseSchema,
  JobState,
  OverlapPolicy,
  ScheduleRunState,
  ScheduleSkipReason,
  SendSignalResponseSchema,
  type Trigger,
  TriggerRunSchema,
  TriggerSchema,
} from '@muster-jobs/sdk/grpc';
import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { sentText } from '../../../server/cli/commands/signals/signals.ts';
import { parseDocuments } from '../../../server/cli/input/documents.ts';
import { decodeDocument } from '../../../server/cli/input/message-document.ts';
import {
  addTriggerOptions,
  endOfJob,
  type TriggerOptions,
  toTrigger,
} from '../../../server/cli/input/trigger-options.ts';
import { Output } from '../../../server/cli/output/output.ts';
import { conditionText, showMissing, showTrigger, triggerRunColumns } from '../../../server/cli/output/trigger-view.ts';
import { createProgram } from '../../../server/cli/program.ts';

/** The trigger that these arguments of `muster triggers set` give. */
function set(...args: string[]): Trigger {
  const command = addTriggerOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(args, { from: 'user' });
  return toTrigger('ship', { name: 'ship-order', version: 2 }, command.opts<TriggerOptions>());
}

function shown(show: (out: Output) => void): string {
  let text = '';
  const stream = new PassThrough().on('data', (part) => (text += String(part)));
  show(new Output(false, { stdout: stream, stderr: stream }));
  return text;
}

const cause = (value: object) => ({ kind: { case: 'cause', value: { filter: '', key: '', ...value } } });

describe('the options of a trigger', () => {
  it('become a condition of all their causes, with the filter and the key at each', () => {
    const args = ['--schedule', 'nightly', '--signal', 'paid', '--asset', 'orders', '--signal', 'packed'];
    const { condition } = set(...args, '--job', 'import:failed', '--filter', 'true', '--key', 'cause.key');
    const at = { filter: 'true', key: 'cause.key' };
    expect(condition?.kind).toMatchObject({
      case: 'allOf',
      value: {
        conditions: [
          cause({ on: { case: 'signal', value: { name: 'paid' } }, ...at }),
          cause({ on: { case: 'signal', value: { name: 'packed' } }, ...at }),
          cause({ on: { case: 'asset', value: { name: 'orders' } }, ...at }),
          cause({ on: { case: 'job', value: { definition: 'import', states: [JobState.FAILED] } }, ...at }),
          cause({ on: { case: 'schedule', value: { name: 'nightly' } }, ...at }),
        ],
      },
    });
    expect(condition?.kind.value).not.toHaveProperty('within');
  });

  it('become a condition of any of them, of one alone, or of all within a time', () => {
    expect(set('--signal', 'paid', '--asset', 'orders', '--any').condition?.kind.case).toBe('anyOf');
    expect(set('--signal', 'paid').condition).toMatchObject(cause({ on: { case: 'signal', value: { name: 'paid' } } }));
    expect(set('--signal', 'paid', '--asset', 'orders', '--within', '90m').condition?.kind).toMatchObject({
      case: 'allOf',
      value: { within: { seconds: 5_400n } },
    });
  });

  it('become the job and the rules of the trigger', () => {
    const job = ['--queue', 'mails', '--priority', '-5', '--run-timeout', '30s', '--label', 'team=a'];
    const rules = ['--overlap', 'buffer-one', '--pause-on-failure', '--description', 'Ships', '--expire-after', '2d'];
    const trigger = set('--signal', 'paid', ...job, ...rules);
    expect(trigger).toMatchObject({
      name: 'ship',
      job: {
        definition: 'ship-order',
        definitionVersion: 2,
        queue: 'mails',
        priority: -5,
        runTimeout: { seconds: 30n },
        labels: { team: 'a' },
      },
      overlapPolicy: OverlapPolicy.BUFFER_ONE,
      pauseOnFailure: true,
      description: 'Ships',
      expireAfter: { seconds: 172_800n },
    });
    expect(trigger.job?.input).toBeUndefined();
    expect(set('--signal', 'paid')).toMatchObject({ overlapPolicy: OverlapPolicy.UNSPECIFIED, pauseOnFailure: false });
    expect(set('--signal', 'paid').expireAfter).toBeUndefined();
  });

  it('are refused without a cause, and with both --any and --within', () => {
    expect(() => set('--within', '1h')).toThrow('give at least one of --signal, --asset, --job and --schedule');
    expect(() => set('--signal', 'paid', '--any', '--within', '1h')).toThrow('give either --any or --within');
  });

  it('take end states of jobs as words', () => {
    expect(endOfJob('mail')).toEqual([{ definition: 'mail', states: [] }]);
    expect(endOfJob('mail:FAILED,succeeded', endOfJob('x'))).toEqual([
      { definition: 'x', states: [] },
      { definition: 'mail', states: [JobState.FAILED, JobState.SUCCEEDED] },
    ]);
  });

  it.each([
    ['', /DEFINITION:STATE,STATE/],
    [':failed', /DEFINITION:STATE,STATE/],
    ['mail:failed:x', /DEFINITION:STATE,STATE/],
    ['mail:', /no state ""/],
    ['mail:done', /no state "done"/],
    ['mail:failed,running', /states of ended jobs: SUCCEEDED, FAILED/],
  ])('refuse the end of a job %j', (text, message) => {
    expect(() => endOfJob(text)).toThrow(InvalidArgumentError);
    expect(() => endOfJob(text)).toThrow(message);
  });
});

describe('the help of muster triggers apply', () => {
  it('shows a trigger that a file may hold', () => {
    const apply = createProgram('1.2.3', process)
      .commands.find((one) => one.name() === 'triggers')
      ?.commands.find((one) => one.name() === 'apply');
    let help = '';
    apply?.configureOutput({ writeOut: (part) => (help += part) }).outputHelp();
    const [, text = ''] = /several documents:\n\n([\s\S]*?)\n\nFields/.exec(help) ?? [];
    const [document] = parseDocuments(text.replaceAll(/^ {2}/gm, ''), 'help');
    const decoded = decodeDocument(TriggerSchema, document?.value) as { message: Trigger };
    expect(conditionText(decoded.message.condition)).toBe(
      'asset orders and schedule monthly and (signal books-closed or job close-books (SUCCEEDED, FAILED)) within 1d',
    );
  });
});

describe('a trigger', () => {
  it('is shown with its numbered causes', () => {
    const text = shown((out) =>
      showTrigger(out, set('--signal', 'paid', '--asset', 'a\u001bb', '--filter', 'x', '--any')),
    );
    expect(text).toMatch(/^Trigger ship {2}on\n/);
    expect(text).toMatch(/ condition +signal paid or asset a\\eb\n +cause 0 +signal paid, if x\n +cause 1 +asset a/);
    expect(text).toMatch(/ definition +ship-order@2\n/);
  });

  it('is shown with all of its parts', () => {
    const trigger = set('--signal', 'paid', '--key', 'cause.key', '--expire-after', '2d', '--pause-on-failure');
    const text = shown((out) => showTrigger(out, { ...trigger, paused: true, pauseReason: 'stock-taking' }));
    expect(text).toMatch(/^Trigger ship {2}paused\n +paused for +stock-taking\n +condition +signal paid\n/);
    expect(text).toMatch(/cause 0 +signal paid, by cause\.key\n +drops causes +after 2d\n/);
    expect(text).toMatch(/on failure +it pauses\n/);
  });

  it('of a newer server has an unknown condition', () => {
    expect(conditionText(create(TriggerSchema, { condition: {} }).condition)).toBe('an unknown condition');
    expect(conditionText(create(TriggerSchema, { condition: cause({}) as never }).condition)).toBe('an unknown cause');
  });

  it('has runs with the reason of each skip', () => {
    const run = create(TriggerRunSchema, {
      time: timestampFromDate(new Date('2026-05-04T09:30:00Z')),
      key: 'order-7',
      state: ScheduleRunState.SKIPPED,
      skipReason: ScheduleSkipReason.REFUSED,
      message: 'the queue is full',
    });
    const text = shown((out) => out.table(triggerRunColumns(out), [run]));
    expect(text).toMatch(/^TIME +KEY +STATE +JOB +WHY\n2026-05-04T09:30:00\.000Z +order-7 +SKIPPED /);
    expect(text).toMatch(/ its job was refused: the queue is full *\n$/);
  });
});

describe('the explanation of a trigger', () => {
  const explained = (
    response: MessageInitShape<typeof ExplainTriggerResponseSchema>,
    trigger: MessageInitShape<typeof TriggerSchema> = {},
  ) =>
    shown((out) =>
      showMissing(
        out,
        create(TriggerSchema, { name: 'ship', ...trigger }),
        create(ExplainTriggerResponseSchema, response),
      ),
    );
  const time = timestampFromDate(new Date('2026-05-04T09:30:00Z'));

  it('says for each key what has happened, what is missing, and when it is dropped', () => {
    const held = [
      { condition: 0, text: 'signal paid', time, count: 1n },
      { condition: 2, text: 'asset orders', time, count: 3n },
    ];
    const keyed = {
      key: 'a\u001b',
      held,
      missing: ['signal packed', 'job x or job y'],
      sinceTime: time,
      expireTime: time,
    };
    const unkeyed = { held: held.slice(0, 1), missing: ['signal packed'], sinceTime: time };
    const at = '2026-05-04T09:30:00\\.000Z \\(.*\\)';
    expect(explained({ progress: [unkeyed, keyed], missing: ['left out'] })).toMatch(
      new RegExp(
        [
          `^It waits since ${at}`,
          ` +happened +signal paid: ${at}`,
          ' +missing +signal packed',
          `Key a\\\\e waits since ${at}`,
          ` +happened +signal paid: ${at}`,
          ` +happened +asset orders: 3 times, last ${at}`,
          ' +missing +signal packed',
          ' +missing +job x or job y',
          ` +next drop +${at}\n$`,
        ].join('\n'),
      ),
    );
  });

  it('says what must happen where nothing has, and that a paused trigger ignores it', () => {
    const missing = ['signal paid', 'asset orders'];
    const waits = 'Nothing has happened that still counts. It waits for:\n  signal paid\n  asset orders\n';
    expect(explained({ missing })).toBe(waits);
    const paused = { paused: true, pauseReason: 'stock-taking' };
    expect(explained({ missing }, paused)).toBe(
      `It is paused (stock-taking): what happens now does not count.\nTo resume it: muster triggers resume ship\n${waits}`,
    );
  });
});

describe('the answer to a sent signal', () => {
  it.each([
    ['It has reached 1 job', { deliveredCount: 1n }],
    ['No job waits for it: it is kept for the first one that will', { kept: true }],
    ['No job waits for it, and it is not kept', {}],
    ['It was sent before: nothing was done', { repeated: true }],
    ['No job waits for it, and it is taken by 2 triggers', { triggerCount: 2n }],
    ['It has reached 3 jobs; it is taken by 1 trigger', { deliveredCount: 3n, triggerCount: 1n }],
    [
      'It has reached 3 jobs; delivery to more jobs continues; it is taken by 1 trigger',
      { deliveredCount: 3n, delivering: true, triggerCount: 1n },
    ],
  ])('is shown as: %s', (text, answer) => {
    expect(sentText(create(SendSignalResponseSchema, answer))).toBe(text);
  });
});
