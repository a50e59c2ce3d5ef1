/** The input of a job from the command line, a file or stdin. */
import { createReadStream } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { type Payload, PayloadSchema } from '@muster-jobs/sdk/grpc';
import { type CommandProcess, pathOf } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';

/** The server's maximum. */
const MAX_BYTES = 512 * 1024;
const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';
const decoder = new TextDecoder('utf-8', { fatal: true });

export interface InputOptions {
  readonly input?: string;
  readonly inputFile?: string;
  readonly contentType?: string;
}

/** Undefined if no input was given. */
export async function readInput(process: CommandProcess, options: InputOptions): Promise<Payload | undefined> {
  const { input, inputFile, contentType } = options;
  if (input !== undefined && inputFile !== undefined)
    throw new CliError({ message: 'give either --input or --input-file' });
  if (input !== undefined) return payloadOf(new TextEncoder().encode(input), contentType ?? JSON_TYPE, '--input');
  if (inputFile !== undefined)
    return payloadOf(
      await readBytes(process, inputFile, MAX_BYTES),
      contentType ?? typeByName(inputFile),
      nameOf(inputFile),
    );
  if (contentType !== undefined) throw new CliError({ message: '--content-type needs --input or --input-file' });
  return undefined;
}

/** @throws CliError if the type is JSON and the bytes are not; `where` names their source. */
export function payloadOf(data: Uint8Array, contentType: string, where: string): Payload {
  if (data.length > MAX_BYTES) throw tooLong(where);
  const payload = create(PayloadSchema, { data, contentType });
  if (!isJson(contentType)) return payload;
  try {
    JSON.parse(decoder.decode(data));
  } catch (error) {
    throw new CliError({
      message: `${where} is not JSON: ${(error as Error).message}`,
      next: '--content-type sets another type, such as --content-type text/plain',
      cause: error,
    });
  }
  return payload;
}

/** Media type by the file's extension; JSON for stdin. */
export function typeByName(file: string): string {
  return file === '-' || /\.(json|ndjson|jsonl)$/i.test(file) ? JSON_TYPE : BYTES_TYPE;
}

/** The name of a file in messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/** The bytes of a file or, for `-`, of stdin. */
export function openInput(process: CommandProcess, file: string): AsyncIterable<Buffer> {
  return file === '-' ? process.stdin : createReadStream(pathOf(process, file));
}

/** The error for a file that can't be read. */
export function unreadable(file: string, error: unknown): CliError {
  return new CliError({ message: `can't read ${nameOf(file)}: ${(error as Error).message}`, cause: error });
}

/** The bytes of a file or of stdin. A longer one is read just far enough to exceed `maxBytes`. */
export async function readBytes(process: CommandProcess, file: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of openInput(process, file)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) break;
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  return Buffer.concat(chunks);
}

function isJson(contentType: string): boolean {
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return type === JSON_TYPE || type.endsWith('+json');
}

function tooLong(where: string): CliError {
  return new CliError({
    message: `${where} is longer than 512 KiB, the maximum of an input`,
    next: 'store it elsewhere and submit its location',
  });
}
