/** Messages of a command on its descriptor 3: JSON lines with progress, checkpoints, logs and extensions. */
import type { JobContext, LogLevel, ProgressCounts } from '@muster-jobs/sdk';
import { spanToMs } from '../../server/domain/base/quantities.ts';
import { LineSplitter } from './lines.ts';

/** Fits a checkpoint of the maximum size, with JSON's escapes. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Of the messages within this time, only the newest progress and checkpoint are passed on. */
const GATHER_MS = 50;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The content of one line, which may have several parts. */
export interface Message {
  readonly progress?: number | ProgressCounts;
  readonly message?: string;
  readonly checkpoint?: unknown;
  readonly log?: string;
  readonly level?: LogLevel;
  readonly extendMs?: number;
}

/** @throws Error that describes what is wrong with the line. */
export function parseMessage(line: string): Message {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it takes an object');
  const { progress, message, checkpoint, log, level, extend, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`"${unknown}" is not known; it takes progress, checkpoint, log or extend`);
  if (progress === undefined && checkpoint === undefined && log === undefined && extend === undefined)
    throw new Error('it takes progress, checkpoint, log or extend');
  if (progress !== undefined) checkProgress(progress);
  if (message !== undefined && typeof message !== 'string') throw new Error('message takes text');
  if (message !== undefined && progress === undefined) throw new Error('message goes with progress');
  if (log !== undefined && typeof log !== 'string') throw new Error('log takes text');
  if (level !== undefined && log === undefined) throw new Error('level goes with log');
  if (level !== undefined && !LEVELS.includes(level as LogLevel)) throw new Error(`level takes ${LEVELS.join(', ')}`);
  const extendMs = typeof extend === 'string' ? spanToMs(extend) : undefined;
  if (extend !== undefined && !extendMs) throw new Error('extend takes a span above 0, such as "30s"');
  // Each field was checked above.
  return { progress, message, checkpoint, log, level, ...(extendMs && { extendMs }) } as Message;
}

function checkProgress(progress: unknown): void {
  if (typeof progress === 'number' && progress >= 0 && progress <= 1) return;
  if (typeof progress !== 'object' || progress === null || Array.isArray(progress))
    throw new Error('progress takes a number from 0 to 1, or an object with done, total and unit');
  const { done, total, unit, ...rest } = progress as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`"${unknown}" is not known in progress; it takes done, total and unit`);
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount(done)) throw new Error('done takes a whole number from 0');
  if (total !== undefined && !isCount(total)) throw new Error('total takes a whole number from 0');
  if (unit !== undefined && typeof unit !== 'string') throw new Error('unit takes text');
}

/** Passes on the messages of a stream of lines. Bad lines are logged and otherwise ignored. */
export class MessageReader {
  readonly #context: JobContext;
  readonly #lines: LineSplitter;
  #progress: Message | undefined;
  #checkpoint: { readonly value: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: JobContext) {
    this.#context = context;
    this.#lines = new LineSplitter({
      maxBytes: MAX_LINE_BYTES,
      tooLong: 'drop',
      onLine: (line) => this.#read(line),
    });
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  finish(): void {
    this.#lines.finish();
    this.#passOn();
  }

  #read(line: string | undefined): void {
    if (line === '') return;
    try {
      if (line === undefined) throw new Error(`it has more than ${MAX_LINE_BYTES} bytes`);
      this.#take(parseMessage(line));
    } catch (error) {
      this.#refuse((error as Error).message);
    }
  }

  #take(message: Message): void {
    if (message.log !== undefined) this.#context.log(message.level ?? 'info', message.log);
    if (message.extendMs !== undefined) this.#context.extendRunTimeout(message.extendMs);
    if (message.progress !== undefined) this.#progress = message;
    if (message.checkpoint !== undefined) this.#checkpoint = { value: message.checkpoint };
    this.#timer ??= setTimeout(() => this.#passOn(), GATHER_MS);
  }

  #passOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [progress, checkpoint] = [this.#progress, this.#checkpoint];
    this.#progress = undefined;
    this.#checkpoint = undefined;
    if (progress?.progress !== undefined) this.#context.progress(progress.progress, progress.message);
    if (checkpoint === undefined) return;
    try {
      this.#context.checkpoint(checkpoint.value);
    } catch (error) {
      this.#refuse((error as Error).message);
    }
  }

  #refuse(why: string): void {
    this.#context.log('warn', `a line on descriptor 3 was ignored: ${why}`);
  }
}
