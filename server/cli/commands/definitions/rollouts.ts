/** `muster rollout`: shows and changes the roll-outs of versions of definitions. */
import { randomUUID } from 'node:crypto';
import { type Rollout, RolloutSchema, RolloutState } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { rolloutColumns, showRollout, stepText } from '../../output/rollout-view.ts';
import { allPages, showPages } from '../../pages.ts';
import { present } from '../../require-field.ts';
import { addSetRolloutOptions, changedRollout, type SetRolloutOptions } from './rollout-options.ts';

export function addRollouts(program: Command): void {
  const group = program
    .command('rollout')
    .alias('rollouts')
    .helpGroup('Definitions:')
    .description('Show, change and end the roll-outs of new versions; muster apply --rollout begins one')
    .addHelpText(
      'after',
      `
While a roll-out is open, a part of the new jobs takes the new version. The part grows step by step, unless more jobs of the
new version fail than of the one before: then the version is rolled back. Jobs keep the version that they have.

Examples:
  muster apply -f mail.yaml --rollout 5:10m,25:1h,100:10m
  muster rollout status mail
  muster rollout promote mail
  muster rollout rollback mail --reason "too slow"`,
    );
  addReading(group);
  addChanges(group);
}

function addReading(group: Command): void {
  withName(group.command('status'))
    .description('Show a roll-out: its step, what comes next, and how many jobs of both versions have failed')
    .addHelpText(
      'after',
      '\nExamples:\n  muster rollout status mail\n  muster rollout status mail@3 --json | jq -r .state',
    )
    .action(handled<object, [DefinitionRef]>(status));
  group
    .command('list')
    .description('List the roll-outs by definition, those of newer versions first')
    .addHelpText('after', '\nExample:\n  muster rollout list --json | jq -r .definition')
    .action(handled(list));
}

function addChanges(group: Command): void {
  addSetRolloutOptions(withName(group.command('set')))
    .description('Give an open roll-out other steps, and begin with the first of them; other settings stay')
    .addHelpText(
      'after',
      `
Examples:
  muster rollout set mail --steps 50:1h,100:1h
  muster rollout set mail --steps 50 --max-failure-increase 0.02      half of the new jobs, until you change it`,
    )
    .action(handled<SetRolloutOptions, [DefinitionRef]>(set));
  withName(group.command('promote'))
    .description('End an open roll-out: all new jobs take the new version')
    .addHelpText('after', '\nExample:\n  muster rollout promote mail')
    .action(
      handled<object, [DefinitionRef]>(async (invocation, _options, definition) => {
        const { namespace, rollouts } = await invocation.connection();
        const request = { namespace, ...refOf(definition), requestId: randomUUID() };
        printEnd(invocation, (await rollouts.promoteRollout(request)).rollout);
      }),
    );
  withName(group.command('rollback'))
    .option('--reason <text>', 'why; shown with the roll-out')
    .description('End an open roll-out: all new jobs take the version before it; jobs of the new one stay as they are')
    .addHelpText('after', '\nExample:\n  muster rollout rollback mail --reason "too slow"')
    .action(
      handled<{ reason?: string }, [DefinitionRef]>(async (invocation, { reason = '' }, definition) => {
        const { namespace, rollouts } = await invocation.connection();
        const request = { namespace, ...refOf(definition), reason, requestId: randomUUID() };
        printEnd(invocation, (await rollouts.rollBackRollout(request)).rollout);
      }),
    );
}

function withName(command: Command): Command {
  return command.argument(
    '<definition>',
    'NAME, or NAME@VERSION; without a version, the newest that has a roll-out',
    definitionRef,
  );
}

const refOf = ({ name, version }: DefinitionRef) => ({ definition: name, version });

async function status(invocation: Invocation, _options: object, definition: DefinitionRef): Promise<void> {
  const { namespace, rollouts } = await invocation.connection();
  const rollout = present((await rollouts.getRollout({ namespace, ...refOf(definition) })).rollout, 'roll-out');
  if (invocation.out.json) invocation.out.message(RolloutSchema, rollout);
  else showRollout(invocation.out, rollout);
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, rollouts } = await invocation.connection();
  const { out } = invocation;
  const pages = allPages((pageToken, pageSize) => rollouts.listRollouts({ namespace, pageToken, pageSize }));
  const shown = await showPages(out, RolloutSchema, rolloutColumns(out), pages, (page) => page.rollouts);
  if (shown === 0 && !out.json)
    out.note('There are no roll-outs: all new jobs take the newest version. muster apply --rollout begins one.');
}

async function set(invocation: Invocation, options: SetRolloutOptions, definition: DefinitionRef): Promise<void> {
  const { namespace, rollouts } = await invocation.connection();
  const before = present((await rollouts.getRollout({ namespace, ...refOf(definition) })).rollout, 'roll-out');
  const { definition: name, version } = before;
  const settings = changedRollout(before.settings, options);
  const request = { namespace, definition: name, version, settings, requestId: randomUUID() };
  const rollout = present((await rollouts.updateRollout(request)).rollout, 'roll-out');
  const { out } = invocation;
  if (out.json) out.message(RolloutSchema, rollout);
  else out.line(`Version ${version} of ${name} is at ${stepText(rollout)}.`);
}

function printEnd({ out }: Invocation, given: Rollout | undefined): void {
  const rollout = present(given, 'roll-out');
  const { definition, version, baseVersion, state } = rollout;
  const [what, taken] = state === RolloutState.PROMOTED ? ['promoted', version] : ['rolled back', baseVersion];
  if (out.json) out.message(RolloutSchema, rollout);
  else out.line(`Version ${version} of ${definition} is ${what}: all new jobs take version ${taken}.`);
}
