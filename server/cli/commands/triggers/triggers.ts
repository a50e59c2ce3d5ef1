/** `muster triggers`: triggers, which submit jobs when a condition is met. */
import { create } from '@bufbuild/protobuf';
import { ExplainTriggerResponseSchema, TriggerRunSchema, TriggerSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { integer } from '../../input/numbers.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { showMissing, showTrigger, triggerColumns, triggerRunColumns } from '../../output/trigger-view.ts';
import { allPages, showPages } from '../../pages.ts';
import { present } from '../../require-field.ts';
import { addTriggerChanges } from './changes.ts';

export function addTriggers(program: Command): void {
  const group = program
    .command('triggers')
    .alias('trigger')
    .helpGroup('Jobs:')
    .description(
      'Show and change triggers, which submit jobs when signals, assets, ended jobs or schedules meet a condition',
    )
    .addHelpText(
      'after',
      `
Each time the condition of a trigger is met creates one job, or is recorded as skipped with the reason: muster triggers
runs NAME. The input of the job holds the causes. Its label muster/trigger is the name of the trigger.

Examples:
  muster triggers set ship ship-order --signal paid --signal packed --key cause.key
  muster triggers explain ship
  muster triggers runs ship
  muster list --label muster/trigger=ship`,
    );
  addReading(group);
  addTriggerChanges(group);
}

function addReading(group: Command): void {
  group
    .command('list')
    .description('List the triggers with their conditions')
    .addHelpText('after', '\nExample:\n  muster triggers list --json | jq -r .name')
    .action(handled(list));
  group
    .command('get')
    .argument('<trigger>', 'its name')
    .description('Show one trigger')
    .addHelpText('after', '\nExample:\n  muster triggers get ship --json')
    .action(handled<object, [string]>(get));
  group
    .command('runs')
    .argument('<trigger>', 'its name')
    .option('--limit <number>', 'number of runs, newest first (default: 50)', integer(1, 1_000))
    .description('Show when the condition of a trigger was met: jobs and skips')
    .addHelpText('after', '\nExample:\n  muster triggers runs ship --limit 10')
    .action(handled<{ limit?: number }, [string]>(runs));
  group
    .command('explain')
    .argument('<trigger>', 'its name')
    .description('Say for each key what has happened, what is missing, since when, and when it is dropped')
    .addHelpText('after', '\nExample:\n  muster triggers explain ship')
    .action(handled<object, [string]>(explain));
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, triggers } = await invocation.connection();
  const { out } = invocation;
  const pages = allPages((pageToken, pageSize) => triggers.listTriggers({ namespace, pageToken, pageSize }));
  const shown = await showPages(out, TriggerSchema, triggerColumns(out), pages, (page) => page.triggers);
  if (shown === 0 && !out.json) out.note('There are no triggers: muster triggers set makes one.');
}

async function get(invocation: Invocation, _options: object, name: string): Promise<void> {
  const { namespace, triggers } = await invocation.connection();
  const trigger = present((await triggers.getTrigger({ namespace, name })).trigger, 'trigger');
  if (invocation.out.json) invocation.out.message(TriggerSchema, trigger);
  else showTrigger(invocation.out, trigger);
}

async function runs(invocation: Invocation, { limit = 50 }: { limit?: number }, name: string): Promise<void> {
  const { namespace, triggers } = await invocation.connection();
  const { out } = invocation;
  const page = await triggers.listTriggerRuns({ namespace, name, pageSize: limit });
  if (out.json) for (const run of page.runs) out.messageItem(TriggerRunSchema, run);
  else out.table(triggerRunColumns(out), page.runs);
  if (page.runs.length === 0 && !out.json)
    out.note(`The condition of ${name} has not been met yet: muster triggers explain ${name} says what is missing.`);
}

async function explain(invocation: Invocation, _options: object, name: string): Promise<void> {
  const { namespace, triggers } = await invocation.connection();
  const { out } = invocation;
  const all = create(ExplainTriggerResponseSchema);
  for await (const { progress, missing } of allPages((pageToken, pageSize) =>
    triggers.explainTrigger({ namespace, name, pageToken, pageSize }),
  )) {
    all.progress.push(...progress);
    all.missing = missing;
  }
  if (out.json) out.message(ExplainTriggerResponseSchema, all);
  else showMissing(out, present((await triggers.getTrigger({ namespace, name })).trigger, 'trigger'), all);
}
