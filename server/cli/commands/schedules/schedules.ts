/** `muster schedules`: schedules, which submit jobs at set times. */

import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  PreviewScheduleResponseSchema,
  type Schedule,
  ScheduleRunSchema,
  ScheduleSchema,
  type ScheduleTimes,
} from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { integer } from '../../input/numbers.ts';
import { addTimesOptions, type TimesOptions, toTimes } from '../../input/schedule-options.ts';
import { timeOrAge } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { runColumns, scheduleColumns, showSchedule, showTimes } from '../../output/schedule-view.ts';
import { allPages, showPages } from '../../pages.ts';
import { present } from '../../require-field.ts';
import { addScheduleChanges } from './changes.ts';

export function addSchedules(program: Command): void {
  const group = program
    .command('schedules')
    .alias('schedule')
    .helpGroup('Jobs:')
    .description('Show and change schedules, which submit jobs at set times')
    .addHelpText(
      'after',
      `
Each time of a schedule creates one job, or is recorded as skipped with the reason: muster schedules runs NAME. Its jobs have
the labels muster/schedule and muster/schedule-time.

Examples:
  muster schedules preview --cron "30 2 * * *" --zone America/New_York
  muster schedules set nightly report --cron "0 3 * * *" --zone Europe/Vienna
  muster schedules runs nightly
  muster list --label muster/schedule=nightly`,
    );
  addReading(group);
  addScheduleChanges(group);
}

function addReading(group: Command): void {
  group
    .command('list')
    .description('List the schedules with their next times')
    .addHelpText('after', '\nExample:\n  muster schedules list --json | jq -r .name')
    .action(handled(list));
  group
    .command('get')
    .argument('<schedule>', 'its name')
    .description('Show one schedule')
    .addHelpText('after', '\nExample:\n  muster schedules get nightly --json')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, schedules } = await invocation.connection();
        show(invocation, (await schedules.getSchedule({ namespace, name })).schedule);
      }),
    );
  group
    .command('runs')
    .argument('<schedule>', 'its name')
    .option('--limit <number>', 'number of runs, newest first (default: 50)', integer(1, 1_000))
    .description('Show the past times of a schedule: jobs and skips')
    .addHelpText('after', '\nExample:\n  muster schedules runs nightly --limit 10')
    .action(handled<{ limit?: number }, [string]>(runs));
  const preview = group
    .command('preview')
    .argument('[schedule]', 'its name; without a name, the options set the times')
    .option('--count <number>', 'how many times (default: 10)', integer(1, 1_000))
    .option(
      '--after <time>',
      'times after this one: 2026-03-07T00:00:00Z, or a span back from now (default: now)',
      timeOrAge,
    )
    .description('Show the next times of a schedule, or of times given as options');
  addTimesOptions(preview)
    .addHelpText(
      'after',
      `
Calendar rules and exclusions are available in files only: muster schedules apply -f FILE --dry-run shows their next times.

Examples:
  muster schedules preview nightly --count 3
  muster schedules preview --cron "30 2 * * *" --zone America/New_York --after 2026-03-07T00:00:00Z`,
    )
    .action(handled<PreviewOptions, [string | undefined]>(showPreview));
}

interface PreviewOptions extends TimesOptions {
  readonly count?: number;
  readonly after?: Date;
}

export function show({ out }: Invocation, given: Schedule | undefined): void {
  const schedule = present(given, 'schedule');
  if (out.json) out.message(ScheduleSchema, schedule);
  else showSchedule(out, schedule);
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, schedules } = await invocation.connection();
  const { out } = invocation;
  const pages = allPages((pageToken, pageSize) => schedules.listSchedules({ namespace, pageToken, pageSize }));
  const shown = await showPages(out, ScheduleSchema, scheduleColumns(out), pages, (page) => page.schedules);
  if (shown === 0 && !out.json) out.note('There are no schedules: muster schedules set makes one.');
}

async function runs(invocation: Invocation, { limit = 50 }: { limit?: number }, name: string): Promise<void> {
  const { namespace, schedules } = await invocation.connection();
  const { out } = invocation;
  const page = await schedules.listScheduleRuns({ namespace, name, pageSize: limit });
  if (out.json) for (const run of page.runs) out.messageItem(ScheduleRunSchema, run);
  else out.table(runColumns(out), page.runs);
  if (page.runs.length === 0 && !out.json)
    out.note(`No time of ${name} has come yet: muster schedules preview ${name} shows the next ones.`);
}

async function showPreview(invocation: Invocation, options: PreviewOptions, name: string | undefined): Promise<void> {
  const { count = 10, after, ...rules } = options;
  const times = toTimes(rules);
  const isNamed = name !== undefined;
  if (isNamed && Object.keys(rules).length > 0)
    throw new CliError({ message: 'give either the name of a schedule or times, not both' });
  const { namespace, schedules } = await invocation.connection();
  const response = await schedules.previewSchedule({
    namespace,
    ...(isNamed ? { name } : { times }),
    ...(after === undefined ? {} : { afterTime: { seconds: BigInt(Math.floor(after.getTime() / 1_000)) } }),
    count,
  });
  const { out } = invocation;
  if (out.json) {
    out.message(PreviewScheduleResponseSchema, response);
    return;
  }
  const zone = (isNamed ? await timesOf(invocation, name) : times)?.timeZone || 'UTC';
  const { times: found, scannedUntilTime: until } = response;
  if (found.length === 0 && !until) out.note('There are no more times.');
  showTimes(out, found, zone);
  if (until)
    out.note(`Later times follow many excluded ones: --after ${timestampDate(until).toISOString()} looks for them.`);
}

async function timesOf(invocation: Invocation, name: string): Promise<ScheduleTimes | undefined> {
  const { namespace, schedules } = await invocation.connection();
  return (await schedules.getSchedule({ namespace, name })).schedule?.times;
}
