/** The commands of `muster schedules` that change something. */
import { randomUUID } from 'node:crypto';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type ApplyScheduleResponse,
  ApplyScheduleResponseSchema,
  BackfillScheduleResponseSchema,
  type OverlapPolicy,
  type Schedule,
  ScheduleRunSchema,
  ScheduleRunState,
  ScheduleSchema,
} from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import { type ApplyOptions, addFileOption, applyFiles, outcomeOf } from '../../apply-files.ts';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { type InputOptions, readInput } from '../../input/payload-input.ts';
import {
  addOverlapOption,
  addScheduleOptions,
  type ScheduleOptions,
  toSchedule,
} from '../../input/schedule-options.ts';
import { time } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { nameIn, showTimes, whyText } from '../../output/schedule-view.ts';
import { present } from '../../require-field.ts';

export function addScheduleChanges(group: Command): void {
  addMaking(group);
  addHolding(group);
  addRunning(group);
  group
    .command('delete')
    .argument('<schedule>', 'its name')
    .description('Delete a schedule and the record of its runs; its jobs stay')
    .addHelpText('after', '\nExample:\n  muster schedules delete nightly')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, schedules } = await invocation.connection();
        await schedules.deleteSchedule({ namespace, name, requestId: randomUUID() });
        if (!invocation.out.json) invocation.out.line(`Schedule ${name} is gone.`);
      }),
    );
}

interface SetOptions extends ScheduleOptions, InputOptions {
  readonly dryRun?: true;
}

function addMaking(group: Command): void {
  const set = group
    .command('set')
    .argument('<schedule>', 'its name: lower-case letters, digits and "-", at most 63')
    .argument(
      '<definition>',
      'NAME or NAME@VERSION of its jobs’ definition; without a version, the newest each time',
      definitionRef,
    )
    .description('Create a schedule, or replace the settings of an existing one')
    .option('--input <text>', 'the input of its jobs, JSON unless --content-type says otherwise')
    .option('--input-file <file>', 'the input from a file; - is stdin')
    .option('--content-type <type>', 'media type of the input')
    .option('--dry-run', 'only check the schedule, and show its next times');
  addScheduleOptions(set)
    .addHelpText(
      'after',
      `
There are no options for calendar rules and exclusions; use a file: muster schedules apply --help.

Examples:
  muster schedules set nightly report --cron "0 3 * * *" --zone Europe/Vienna --input '{"days": 1}'
  muster schedules set poll fetch --every 90s --overlap skip --jitter 10s
  muster schedules set trial report --cron "0 9 * * mon-fri" --max-runs 3 --pause-on-failure --dry-run`,
    )
    .action(handled<SetOptions, [string, DefinitionRef]>(setOne));
  addFileOption(group.command('apply'))
    .option('--dry-run', 'only check the schedules, and show their next times')
    .description('Create or change the schedules of files; applying the same content again changes nothing')
    .addHelpText('after', APPLY_HELP)
    .action(
      handled<ApplyOptions>(async (invocation, { file, dryRun = false }) =>
        applyFiles(invocation.process, file, KIND, (schedule) => applyOne(invocation, schedule, dryRun)),
      ),
    );
}

const KIND = { schema: ScheduleSchema, noun: 'schedule', command: 'muster schedules apply' };

const APPLY_HELP = `
A file holds one schedule, a list of them, or several documents:

  name: nightly
  times:
    crons: ["0 3 * * *"]
    timeZone: Europe/Vienna
    exclusions:
      - { dayOfMonth: 25-26, month: dec }
  job:
    definition: report
    input: { json: { days: 1 } }
  overlapPolicy: buffer-one

Fields are those of Schedule in proto/muster/v1/schedule.proto, as toName or to_name. Unknown fields are refused.

Examples:
  muster schedules apply -f schedules.yaml --dry-run
  muster schedules apply -f schedules.yaml`;

async function setOne(
  invocation: Invocation,
  options: SetOptions,
  name: string,
  definition: DefinitionRef,
): Promise<void> {
  const schedule = toSchedule(name, definition, options, await readInput(invocation.process, options));
  await applyOne(invocation, schedule, options.dryRun ?? false);
}

async function applyOne(invocation: Invocation, schedule: Schedule, validateOnly: boolean): Promise<void> {
  const { namespace, schedules } = await invocation.connection();
  schedule.namespace ||= namespace;
  const response = await schedules.applySchedule({ schedule, validateOnly, requestId: randomUUID() });
  if (invocation.out.json) invocation.out.message(ApplyScheduleResponseSchema, response);
  else showApplied(invocation, response, validateOnly);
}

function showApplied({ out }: Invocation, response: ApplyScheduleResponse, isDry: boolean): void {
  const { name, times } = present(response.schedule, 'schedule');
  out.line(`${out.styled('bold', `Schedule ${name}`)} ${outcomeOf(response, isDry)}. Its next times:`);
  showTimes(out, response.nextTimes, times?.timeZone || 'UTC');
}

function addHolding(group: Command): void {
  group
    .command('pause')
    .argument('<schedule>', 'its name')
    .option('--reason <text>', 'why; shown while it is paused')
    .description('Skip the times of a schedule until it is resumed')
    .addHelpText('after', '\nExample:\n  muster schedules pause nightly --reason "stock-taking"')
    .action(
      handled<{ reason?: string }, [string]>(async (invocation, { reason = '' }, name) => {
        const { namespace, schedules } = await invocation.connection();
        const response = await schedules.pauseSchedule({ namespace, name, reason, requestId: randomUUID() });
        printResult(invocation, response.schedule, `is paused; to resume it: muster schedules resume ${name}`);
      }),
    );
  group
    .command('resume')
    .argument('<schedule>', 'its name')
    .description('Resume a paused schedule with its future times')
    .addHelpText('after', '\nExample:\n  muster schedules resume nightly')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, schedules } = await invocation.connection();
        const response = await schedules.resumeSchedule({ namespace, name, requestId: randomUUID() });
        printResult(invocation, response.schedule, 'is resumed');
      }),
    );
}

interface RunOptions {
  readonly overlap?: OverlapPolicy;
}

interface BackfillOptions extends RunOptions {
  readonly from: Date;
  readonly to: Date;
}

function addRunning(group: Command): void {
  const trigger = group.command('trigger').argument('<schedule>', 'its name').description('Run a schedule once, now');
  addOverlapOption(trigger, "the schedule's")
    .addHelpText('after', '\nExample:\n  muster schedules trigger nightly --overlap allow-all')
    .action(handled<RunOptions, [string]>(triggerOne));
  const backfill = group
    .command('backfill')
    .argument('<schedule>', 'its name')
    .requiredOption('--from <time>', 'the first time that counts: 2026-01-01T00:00:00Z', time)
    .requiredOption('--to <time>', 'times before this one count', time)
    .description('Run a schedule for each of its times in a period, whether they had a job or not');
  addOverlapOption(backfill, 'buffer-all, one after the other')
    .addHelpText(
      'after',
      '\nExample:\n  muster schedules backfill nightly --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z',
    )
    .action(handled<BackfillOptions, [string]>(backfillOne));
}

const policyOf = ({ overlap }: RunOptions) => (overlap === undefined ? {} : { overlapPolicy: overlap });

async function triggerOne(invocation: Invocation, options: RunOptions, name: string): Promise<void> {
  const { namespace, schedules } = await invocation.connection();
  const request = { namespace, name, requestId: randomUUID(), ...policyOf(options) };
  const run = present((await schedules.triggerSchedule(request)).run, 'run');
  const { out } = invocation;
  if (out.json) out.message(ScheduleRunSchema, run);
  else if (run.state === ScheduleRunState.STARTED) out.line(`Job ${run.jobId} is stored`);
  else
    out.line(
      `No job yet (${nameIn(ScheduleRunState, run.state)}): ${whyText(run) || `muster schedules runs ${name} shows it`}`,
    );
}

async function backfillOne(invocation: Invocation, options: BackfillOptions, name: string): Promise<void> {
  const { namespace, schedules } = await invocation.connection();
  const response = await schedules.backfillSchedule({
    namespace,
    name,
    requestId: randomUUID(),
    startTime: timestampFromDate(options.from),
    endTime: timestampFromDate(options.to),
    ...policyOf(options),
  });
  const { out } = invocation;
  if (out.json) out.message(BackfillScheduleResponseSchema, response);
  else
    out.line(
      `${countText(response.timeCount, 'time')} of ${name} will run: muster schedules runs ${name} shows how far they are`,
    );
}

function printResult({ out }: Invocation, schedule: Schedule | undefined, what: string): void {
  const found = present(schedule, 'schedule');
  if (out.json) out.message(ScheduleSchema, found);
  else out.line(`Schedule ${found.name} ${what}.`);
}
