/** Shows log records: time, level, message; a heading per attempt, and a line where records are missing. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { LogLevel, type LogRecord } from '@muster-jobs/sdk/grpc';
import { countText } from '../../view/times.ts';
import { levelName } from '../input/log-level.ts';
import type { Output, Style } from './output.ts';
import { printable, printableLines } from './printable.ts';

const STYLES: Partial<Record<LogLevel, Style>> = {
  [LogLevel.DEBUG]: 'dim',
  [LogLevel.WARN]: 'yellow',
  [LogLevel.ERROR]: 'red',
};

export class LogView {
  readonly #out: Output;
  #attempt = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  show(record: LogRecord): void {
    const out = this.#out;
    if (record.attempt !== this.#attempt) out.line(out.styled('bold', `Attempt ${record.attempt}`));
    this.#attempt = record.attempt;
    if (record.skippedCount > 0n)
      out.line(out.styled('dim', `… ${countText(Number(record.skippedCount), 'record')} not kept`));
    const time = record.logTime ? timestampDate(record.logTime).toISOString() : '';
    const level = levelName(record.level).padEnd(5);
    const [first = '', ...rest] = printableLines(record.message);
    const styled = STYLES[record.level] ? out.styled(STYLES[record.level] as Style, level) : level;
    out.line([time, styled, first, fieldsText(out, record)].filter((part) => part !== '').join('  '));
    for (const line of rest) out.line(`    ${line}`);
  }
}

function fieldsText(out: Output, { fields, truncated }: LogRecord): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${printable(key)}=${printable(value)}`);
  return out.styled('dim', [...pairs, ...(truncated ? ['(cut)'] : [])].join(' '));
}
