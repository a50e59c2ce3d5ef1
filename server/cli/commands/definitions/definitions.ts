/** `muster definitions`: shows and archives job definitions. */
import { randomUUID } from 'node:crypto';
import { type JobDefinition, JobDefinitionSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { definitionYaml } from '../../output/definition-yaml.ts';
import { type Column, Table } from '../../output/table.ts';
import { ageText } from '../../output/times.ts';
import { present } from '../../require-field.ts';

const PAGE = 500;

interface ListOptions {
  readonly archived?: boolean;
}

export function addDefinitions(program: Command): void {
  const group = program
    .command('definitions')
    .helpGroup('Definitions:')
    .description('Show and archive job definitions; muster apply stores them')
    .addHelpText('after', '\nExamples:\n  muster definitions list\n  muster definitions get mail > mail.yaml');
  group
    .command('list')
    .description('List the newest version of each definition')
    .option('--archived', 'include archived definitions')
    .addHelpText(
      'after',
      '\nExamples:\n  muster definitions list\n  muster definitions list --archived --json | jq -r .name',
    )
    .action(handled(list));
  group
    .command('get')
    .argument('<definition>', 'NAME, or NAME@VERSION', definitionRef)
    .description('Show a definition as YAML for muster apply')
    .addHelpText(
      'after',
      '\nExamples:\n  muster definitions get mail > mail.yaml\n  muster definitions get mail@1 --json',
    )
    .action(handled(get));
  group
    .command('archive')
    .argument('<name...>', 'names of the definitions')
    .description('Refuse new jobs of definitions; existing jobs continue. Applying a definition again restores it')
    .addHelpText('after', '\nExample:\n  muster definitions archive mail')
    .action(handled(archive));
}

async function list(invocation: Invocation, { archived: showArchived = false }: ListOptions): Promise<void> {
  const { out } = invocation;
  const { definitions, namespace } = await invocation.connection();
  const table = new Table(columnsFor(showArchived), out.width);
  let shown = 0;
  for (let pageToken = ''; ; ) {
    const page = await definitions.listJobDefinitions({ namespace, pageSize: PAGE, pageToken, showArchived });
    if (out.json) for (const one of page.definitions) out.messageItem(JobDefinitionSchema, one);
    else for (const line of table.lines(page.definitions)) out.line(line);
    shown += page.definitions.length;
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  if (shown === 0 && !out.json) out.note('There are no definitions; muster apply -f FILE makes them');
}

function columnsFor(showArchived: boolean): Column<JobDefinition>[] {
  const archived: Column<JobDefinition> = { title: 'ARCHIVED', value: ({ archiveTime }) => ageText(archiveTime) };
  return [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'VERSION', value: ({ version }) => String(version) },
    { title: 'KIND', value: ({ body }) => body.case ?? '' },
    { title: 'QUEUE', value: ({ queue }) => queue || 'default', min: 7 },
    { title: 'AGE', value: ({ createTime }) => ageText(createTime) },
    ...(showArchived ? [archived] : []),
    { title: 'DESCRIPTION', value: ({ description }) => description, min: 6 },
  ];
}

async function get(invocation: Invocation, _options: object, { name, version }: DefinitionRef): Promise<void> {
  const { out } = invocation;
  const { definitions, namespace } = await invocation.connection();
  const { definition } = await definitions.getJobDefinition({ namespace, name, version });
  if (out.json) out.message(JobDefinitionSchema, present(definition, 'definition'));
  else out.stdout.write(definitionYaml(present(definition, 'definition')));
}

async function archive(invocation: Invocation, _options: object, names: string[]): Promise<void> {
  const { out } = invocation;
  const { definitions, namespace } = await invocation.connection();
  for (const name of names) {
    const { definition } = await definitions.archiveJobDefinition({ namespace, name, requestId: randomUUID() });
    if (out.json) out.messageItem(JobDefinitionSchema, present(definition, 'definition'));
    else out.line(`${name} takes no new jobs`);
  }
}
