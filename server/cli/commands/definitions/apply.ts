/** `muster apply`: stores the definitions of files. */
import { randomUUID } from 'node:crypto';
import { create, toJson } from '@bufbuild/protobuf';
import {
  type ApplyJobDefinitionResponse,
  ApplyJobDefinitionResponseSchema,
  type JobDefinition,
  JobDefinitionSchema,
  MusterError,
  type RolloutSettings,
  TaskBodySchema,
} from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import type { Connection } from '../../connection.ts';
import { CliError } from '../../failures/cli-error.ts';
import { renameFields } from '../../failures/refusals.ts';
import { inOrder } from '../../input/apply-order.ts';
import { readDocuments, type SourceDocument } from '../../input/documents.ts';
import { DryRun } from '../../input/dry-run.ts';
import { decodeDocument } from '../../input/message-document.ts';
import { repeated } from '../../input/numbers.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { showApplied } from '../../output/applied-view.ts';
import type { Output } from '../../output/output.ts';
import { type ApplyRolloutOptions, addApplyRolloutOptions, rolloutOf } from './rollout-options.ts';

interface Options extends ApplyRolloutOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
}

interface Wanted {
  readonly where: string;
  readonly definition: JobDefinition;
}

export function addApply(program: Command): void {
  const command = program
    .command('apply')
    .helpGroup('Definitions:')
    .description('Store the job definitions of files; applying the same content again changes nothing')
    .requiredOption(
      '-f, --file <file>',
      'YAML or JSON, with one or several documents; - is stdin; may be repeated',
      repeated,
    )
    .option('--dry-run', 'only show what would change, and what that may break');
  addApplyRolloutOptions(command).addHelpText('after', HELP).action(handled(apply));
}

const HELP = `
A file holds one definition, a list of them, or several documents:

  name: mail
  queue: mails
  runTimeout: 30s
  retryPolicy:
    maxAttempts: 5
    backoff: exponential
    minBackoff: 1s
  inputJsonSchema:
    type: object
    required: [to]
  ---
  name: report
  task: { handler: make-report }
  ---
  name: month-end
  workflow:
    steps:
      - { name: write, definition: report }
      - { name: send, definition: mail, needs: [write], input: '{"to": workflow.input.to, "text": steps.write.output}' }

Fields are those of JobDefinition in proto/muster/v1/job_definition.proto, as toName or to_name; without a task or a workflow,
the handler of the same name runs the jobs. Unknown fields are refused. Each change is a new version; jobs keep theirs. A
workflow is applied after what its steps are made from, wherever in the files that is.

With --rollout a new version gets a part of the new jobs, step by step, and is rolled back if too many of them fail: muster
rollout status NAME. A definition that is new has no version before it: apply it without --rollout.

Examples:
  muster apply -f jobs.yaml --dry-run
  muster apply -f jobs.yaml -f more.json
  muster apply -f mail.yaml --rollout 5:10m,25:1h,100:10m --rollout-label tier=internal
  muster apply -f mail.yaml --rollout 10                 a tenth of the new jobs, until you change it
  muster definitions get mail@1 | muster apply -f -      version 1 again, as a new version`;

async function apply(invocation: Invocation, options: Options): Promise<void> {
  const { file, dryRun = false } = options;
  const { out } = invocation;
  const rollout = rolloutOf(options);
  const connection = await invocation.connection();
  const documents = (await Promise.all(file.map((one) => readDocuments(invocation.process, one)))).flat();
  const wanted = inOrder(decodeAll(documents, connection.namespace));
  const dry = dryRun ? new DryRun(wanted.map(({ definition }) => definition)) : undefined;
  for (const [done, one] of wanted.entries()) {
    const response = await applyOne(connection, one, { validateOnly: dryRun, rollout }).catch((error) => {
      const unchecked = dry?.excuse(one.definition, error);
      if (unchecked !== undefined) return unchecked;
      if (done > 0 && !dryRun) out.note(`The ${done} before it in the files ${done === 1 ? 'is' : 'are'} applied.`);
      throw error;
    });
    if (typeof response === 'string') out.note(response);
    else show(out, one, response, { dry, rollout });
  }
}

function show(
  out: Output,
  { definition }: Wanted,
  response: ApplyJobDefinitionResponse,
  { dry, rollout }: { readonly dry: DryRun | undefined; readonly rollout: RolloutSettings | undefined },
): void {
  if (out.json) out.item(toJson(ApplyJobDefinitionResponseSchema, response));
  else showApplied(out, response, { dryRun: dry !== undefined, rollout });
  const unchecked = dry?.passed(definition, response);
  if (unchecked !== undefined) out.note(unchecked);
}

/** @throws CliError that names every invalid field in all documents; then nothing is applied. */
function decodeAll(documents: readonly SourceDocument[], namespace: string): Wanted[] {
  const wanted: Wanted[] = [];
  const details: string[] = [];
  for (const { where, value } of documents) {
    const decoded = decodeDocument(JobDefinitionSchema, value);
    if ('message' in decoded) wanted.push({ where, definition: withDefaults(decoded.message, namespace) });
    else
      for (const { field, description } of decoded.problems)
        details.push(`${[where, field].filter(Boolean).join(': ')}: ${description}`);
  }
  if (details.length === 0) return wanted;
  const message =
    details.length === 1 ? 'a definition is wrong; nothing was applied' : 'definitions are wrong; nothing was applied';
  throw new CliError({ message, details, next: 'muster apply --help shows what a definition looks like' });
}

function withDefaults(definition: JobDefinition, namespace: string): JobDefinition {
  definition.namespace ||= namespace;
  if (definition.body.case === undefined) definition.body = { case: 'task', value: create(TaskBodySchema) };
  return definition;
}

async function applyOne(
  { definitions }: Connection,
  { where, definition }: Wanted,
  { validateOnly, rollout }: { readonly validateOnly: boolean; readonly rollout: RolloutSettings | undefined },
): Promise<ApplyJobDefinitionResponse> {
  const request = { definition, validateOnly, requestId: randomUUID(), ...(rollout ? { rollout } : {}) };
  try {
    return await definitions.applyJobDefinition(request);
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    throw renameFields(error, (field) => inFile(where, field));
  }
}

/** The settings of a roll-out are options, and not in the file. */
function inFile(where: string, field: string): string {
  if (field.startsWith('rollout.')) return field;
  return `${where}: ${field === 'rollout' ? '--rollout' : field.replace(/^definition\./, '')}`;
}
