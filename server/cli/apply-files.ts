/** Applies the resources of files one after the other, once all of them are readable. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { MusterError } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import type { CommandProcess } from './command-process.ts';
import { CliError } from './failures/cli-error.ts';
import { renameFields } from './failures/refusals.ts';
import { readDocuments } from './input/documents.ts';
import { decodeDocument } from './input/message-document.ts';
import { repeated } from './input/numbers.ts';

export interface ApplyOptions {
  readonly file: readonly string[];
  readonly dryRun?: true;
}

/** A resource in files. */
interface Kind<D extends DescMessage> {
  readonly schema: D;
  /** Its name in messages and in the request, such as `schedule`. */
  readonly noun: string;
  /** The command whose help shows an example. */
  readonly command: string;
}

interface Wanted<T> {
  /** Its location, such as `schedules.yaml, document 2`. */
  readonly where: string;
  readonly message: T;
}

export function addFileOption(command: Command): Command {
  return command.requiredOption(
    '-f, --file <file>',
    'YAML or JSON, with one or several documents; - is stdin; may be repeated',
    repeated,
  );
}

/** Applies nothing unless each document fits. A refusal names the document, and its fields as in the file. */
export async function applyFiles<D extends DescMessage>(
  process: CommandProcess,
  files: readonly string[],
  kind: Kind<D>,
  apply: (message: MessageShape<D>) => Promise<void>,
): Promise<void> {
  for (const { where, message } of await readAll(process, files, kind))
    await apply(message).catch((error) => {
      if (!(error instanceof MusterError)) throw error;
      throw renameFields(error, (field) => `${where}: ${field.replace(new RegExp(`^${kind.noun}\\.`), '')}`);
    });
}

/** @throws CliError that names every invalid field in all documents. */
async function readAll<D extends DescMessage>(
  process: CommandProcess,
  files: readonly string[],
  { schema, noun, command }: Kind<D>,
): Promise<Wanted<MessageShape<D>>[]> {
  const next = `${command} --help shows what a ${noun} looks like`;
  const documents = (await Promise.all(files.map((one) => readDocuments(process, one, next)))).flat();
  const details: string[] = [];
  const wanted = documents.flatMap(({ where, value }) => {
    const decoded = decodeDocument(schema, value);
    if ('message' in decoded) return [{ where, message: decoded.message }];
    for (const { field, description } of decoded.problems)
      details.push(`${[where, field].filter(Boolean).join(': ')}: ${description}`);
    return [];
  });
  if (details.length === 0) return wanted;
  const message = `${details.length === 1 ? `a ${noun} is` : `${noun}s are`} wrong; nothing was applied`;
  throw new CliError({ message, details, next });
}

/** What became of an applied resource, behind its name. */
export function outcomeOf({ created }: { readonly created: boolean }, isDry: boolean): string {
  if (isDry) return 'is valid; nothing was changed';
  return created ? 'is made' : 'is stored as given';
}
