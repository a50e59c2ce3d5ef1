/** An error on the client's side, with what the user can do about it. */
import { Exit } from './exit-codes.ts';

export interface CliErrorFacts {
  /** What happened, with the option, field or file concerned. */
  readonly message: string;
  /** What to do about it. */
  readonly next?: string;
  /** Default: USAGE. */
  readonly exitCode?: number;
  /** Details, one per line. */
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
