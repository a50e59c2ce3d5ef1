/** `muster namespaces`: the settings of a namespace. */
import { randomUUID } from 'node:crypto';
import { durationFromMs, type Namespace, NamespaceSchema } from '@muster-jobs/sdk/grpc';
import { type Command, Option } from 'commander';
import { durationText } from '../../../view/times.ts';
import { CliError } from '../../failures/cli-error.ts';
import { fieldMask } from '../../input/field-mask.ts';
import { span } from '../../input/spans.ts';
import { handled } from '../../invocation.ts';
import type { Output } from '../../output/output.ts';
import { present } from '../../require-field.ts';

export function addNamespaces(program: Command): void {
  const group = program
    .command('namespaces')
    .helpGroup('Queues and workers:')
    .description('Show or change the settings of a namespace: how long ended jobs are kept')
    .addHelpText(
      'after',
      `
A namespace need not be created; --namespace names it. A definition's own retention has precedence over its namespace's.

Examples:
  muster namespaces get --namespace shop
  muster namespaces update --namespace shop --retention 30d`,
    );
  addGet(group);
  addUpdate(group);
}

function addGet(group: Command): void {
  group
    .command('get')
    .description('Show the namespace')
    .addHelpText('after', '\nExample:\n  muster namespaces get --json')
    .action(
      handled(async (invocation) => {
        const { namespace, namespaces } = await invocation.connection();
        show(invocation.out, (await namespaces.getNamespace({ namespace })).namespace);
      }),
    );
}

function addUpdate(group: Command): void {
  group
    .command('update')
    .addOption(new Option('--retention <span>', 'how long ended jobs are kept').argParser(span))
    .addOption(new Option('--default-retention', 'back to the default of 7 days').conflicts('retention'))
    .description('Change the namespace; jobs beyond the new retention are deleted within minutes')
    .addHelpText('after', '\nExample:\n  muster namespaces update --namespace shop --retention 30d')
    .action(
      handled<{ retention?: number; defaultRetention?: boolean }>(async (invocation, options) => {
        const { retention, defaultRetention } = options;
        if (retention === undefined && !defaultRetention)
          throw new CliError({ message: 'nothing to change: give --retention or --default-retention' });
        const { namespace, namespaces } = await invocation.connection();
        const changed = retention === undefined ? {} : { retention: durationFromMs(retention) };
        const request = { namespace: { name: namespace, ...changed }, updateMask: fieldMask('retention') };
        show(invocation.out, (await namespaces.updateNamespace({ ...request, requestId: randomUUID() })).namespace);
      }),
    );
}

function show(out: Output, given: Namespace | undefined): void {
  const namespace = present(given, 'namespace');
  if (out.json) {
    out.message(NamespaceSchema, namespace);
    return;
  }
  out.line(out.styled('bold', `Namespace ${namespace.name}`));
  out.facts([['ended jobs are kept', durationText(namespace.retention)]], '  ');
}
