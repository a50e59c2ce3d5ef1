/** What goes wrong on this side of the wire, said so that the reader can put it right. */
import { Exit } from './exit-codes.ts';

export interface CliErrorFacts {
  /** What happened, with the option, field or file that it is about. */
  readonly message: string;
  /** What to do about it. */
  readonly next?: string;
  /** Default: USAGE. */
  readonly exitCode?: number;
  /** More about it, one a line. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly next: string;
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor({ message, next = '', exitCode = Exit.USAGE, details = [], cause }: CliErrorFacts) {
    super(message, { cause });
    this.next = next;
    this.exitCode = exitCode;
    this.details = details;
  }
}
