/** The commands of `muster triggers` that change something. */
import { randomUUID } from 'node:crypto';
import { ApplyTriggerResponseSchema, type Trigger, TriggerSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { type ApplyOptions, addFileOption, applyFiles, outcomeOf } from '../../apply-files.ts';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { addTriggerOptions, type TriggerOptions, toTrigger } from '../../input/trigger-options.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { printable } from '../../output/printable.ts';
import { conditionText } from '../../output/trigger-view.ts';
import { present } from '../../require-field.ts';

export function addTriggerChanges(group: Command): void {
  addMaking(group);
  addHolding(group);
  group
    .command('delete')
    .argument('<trigger>', 'its name')
    .description('Delete a trigger and the record of its runs; its jobs stay')
    .addHelpText('after', '\nExample:\n  muster triggers delete ship')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, triggers } = await invocation.connection();
        await triggers.deleteTrigger({ namespace, name, requestId: randomUUID() });
        if (!invocation.out.json) invocation.out.line(`Trigger ${name} is gone.`);
      }),
    );
}

interface SetOptions extends TriggerOptions {
  readonly dryRun?: true;
}

function addMaking(group: Command): void {
  const set = group
    .command('set')
    .argument('<trigger>', 'its name: lower-case letters, digits and "-", at most 63')
    .argument(
      '<definition>',
      'NAME or NAME@VERSION of its jobs’ definition; without a version, the newest each time',
      definitionRef,
    )
    .description('Create a trigger, or replace the settings of an existing one')
    .option('--dry-run', 'only check the trigger');
  addTriggerOptions(set)
    .addHelpText(
      'after',
      `
It needs at least one of --signal, --asset, --job and --schedule. --filter and --key are CEL expressions over cause; they
apply to each of them. There are no options for conditions inside conditions; use a file: muster triggers apply --help.

Examples:
  muster triggers set ship ship-order --signal paid --signal packed --key cause.key --within 7d
  muster triggers set refresh report --asset orders --asset customers --overlap buffer-one
  muster triggers set clean-up sweep --job import:failed,cancelled --schedule nightly --any --dry-run
  muster triggers set review check-payment --signal paid --filter "cause.payload.amount > 1000"`,
    )
    .action(
      handled<SetOptions, [string, DefinitionRef]>(async (invocation, options, name, definition) =>
        applyOne(invocation, toTrigger(name, definition, options), options.dryRun ?? false),
      ),
    );
  addFileOption(group.command('apply'))
    .option('--dry-run', 'only check the triggers')
    .description('Create or change the triggers of files; applying the same content again changes nothing')
    .addHelpText('after', APPLY_HELP)
    .action(
      handled<ApplyOptions>(async (invocation, { file, dryRun = false }) =>
        applyFiles(invocation.process, file, KIND, (trigger) => applyOne(invocation, trigger, dryRun)),
      ),
    );
}

const KIND = { schema: TriggerSchema, noun: 'trigger', command: 'muster triggers apply' };

const APPLY_HELP = `
A file holds one trigger, a list of them, or several documents:

  name: month-end
  condition:
    allOf:
      within: 1d
      conditions:
        - cause: { asset: { name: orders }, filter: cause.version > 1 }
        - cause: { schedule: { name: monthly } }
        - anyOf:
            conditions:
              - cause: { signal: { name: books-closed } }
              - cause: { job: { definition: close-books, states: [succeeded, failed] } }
  job: { definition: report }
  overlapPolicy: buffer-one

Fields are those of Trigger in proto/muster/v1/trigger.proto, as toName or to_name. Unknown fields are refused.

Examples:
  muster triggers apply -f triggers.yaml --dry-run
  muster triggers apply -f triggers.yaml`;

async function applyOne(invocation: Invocation, trigger: Trigger, validateOnly: boolean): Promise<void> {
  const { namespace, triggers } = await invocation.connection();
  trigger.namespace ||= namespace;
  const response = await triggers.applyTrigger({ trigger, validateOnly, requestId: randomUUID() });
  const { out } = invocation;
  if (out.json) {
    out.message(ApplyTriggerResponseSchema, response);
    return;
  }
  const { name, condition } = present(response.trigger, 'trigger');
  const what = outcomeOf(response, validateOnly);
  out.line(`${out.styled('bold', `Trigger ${name}`)} ${what}. It waits for ${printable(conditionText(condition))}`);
}

function addHolding(group: Command): void {
  group
    .command('pause')
    .argument('<trigger>', 'its name')
    .option('--reason <text>', 'why; shown while it is paused')
    .description('Ignore what happens until a trigger is resumed, and start none of its buffered runs')
    .addHelpText('after', '\nExample:\n  muster triggers pause ship --reason "stock-taking"')
    .action(
      handled<{ reason?: string }, [string]>(async (invocation, { reason = '' }, name) => {
        const { namespace, triggers } = await invocation.connection();
        const response = await triggers.pauseTrigger({ namespace, name, reason, requestId: randomUUID() });
        printResult(invocation, response.trigger, `is paused; to resume it: muster triggers resume ${name}`);
      }),
    );
  group
    .command('resume')
    .argument('<trigger>', 'its name')
    .description('Resume a paused trigger; what happened meanwhile does not count')
    .addHelpText('after', '\nExample:\n  muster triggers resume ship')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, triggers } = await invocation.connection();
        const response = await triggers.resumeTrigger({ namespace, name, requestId: randomUUID() });
        printResult(invocation, response.trigger, 'is resumed');
      }),
    );
}

function printResult({ out }: Invocation, trigger: Trigger | undefined, what: string): void {
  const found = present(trigger, 'trigger');
  if (out.json) out.message(TriggerSchema, found);
  else out.line(`Trigger ${found.name} ${what}.`);
}
