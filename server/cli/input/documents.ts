/** Files of definitions: YAML or JSON, with one or several documents each. */
import { parseAllDocuments } from 'yaml';
import type { CommandProcess } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { nameOf, readBytes } from './payload-input.ts';

const MAX_BYTES = 16 * 1024 * 1024;
/** More uses of one anchor are an attack or an accident. */
const MAX_ALIASES = 100;

export interface SourceDocument {
  /** Its location, such as `jobs.yaml, document 2`. */
  readonly where: string;
  readonly value: unknown;
}

/**
 * The documents of a file, or of stdin for `-`; the items of a list at the top count as documents. `next`: where to
 * read about the format.
 */
export async function readDocuments(
  process: CommandProcess,
  file: string,
  next = 'muster apply --help shows what one looks like',
): Promise<SourceDocument[]> {
  const documents = parseDocuments(await readText(process, file), nameOf(file));
  if (documents.length > 0) return documents;
  throw new CliError({ message: `${nameOf(file)} holds no document`, next });
}

/** @throws CliError with the line and the problem. */
export function parseDocuments(text: string, name: string): SourceDocument[] {
  const values: unknown[] = [];
  for (const document of parseAllDocuments(text, { uniqueKeys: true })) {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined)
      throw new CliError({ message: `${name} is neither YAML nor JSON: ${fault.message.trim()}`, cause: fault });
    const value = plain(() => document.toJS({ maxAliasCount: MAX_ALIASES }), name);
    if (Array.isArray(value)) values.push(...value);
    else if (value !== null) values.push(value); // skips an empty document between two ---
  }
  return values.map((value, at) => ({ where: values.length === 1 ? name : `${name}, document ${at + 1}`, value }));
}

function plain(read: () => unknown, name: string): unknown {
  try {
    return read();
  } catch (error) {
    throw new CliError({ message: `${name}: ${(error as Error).message}`, cause: error });
  }
}

async function readText(process: CommandProcess, file: string): Promise<string> {
  const bytes = await readBytes(process, file, MAX_BYTES);
  if (bytes.length > MAX_BYTES)
    throw new CliError({ message: `${nameOf(file)} is longer than 16 MiB`, next: 'split it' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CliError({ message: `${nameOf(file)} is not UTF-8`, cause: error });
  }
}
