/** The output of a command: tables and text on stdout, JSON for programs, notes on stderr. */
import { styleText } from 'node:util';
import type { DescMessage, JsonValue, MessageShape } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import type { CommandProcess, CommandStream } from '../command-process.ts';
import { printable } from './printable.ts';
import { type Column, Table } from './table.ts';

export type Style = Parameters<typeof styleText>[0];

export class Output {
  /** Whether the output is JSON. */
  readonly json: boolean;
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;

  constructor(json: boolean, { stdout, stderr }: Pick<CommandProcess, 'stdout' | 'stderr'>) {
    this.json = json;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Width of stdout in cells. */
  get width(): number {
    return (this.stdout.isTTY ? this.stdout.columns : undefined) ?? Number.POSITIVE_INFINITY;
  }

  /** A line of text. Any foreign text in it must be made printable first. */
  line(text = ''): void {
    this.stdout.write(`${text}\n`);
  }

  /** Styled text if stdout is a terminal and NO_COLOR is not set. */
  styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.stdout });
  }

  /** A note on stderr, also with JSON output. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  table<T>(columns: readonly Column<T>[], rows: readonly T[]): void {
    for (const line of new Table(columns, this.width).lines(rows)) this.line(line);
  }

  /** Names and values in lines; those without a value are left out. */
  facts(facts: readonly (readonly [name: string, value: string])[], indent = ''): void {
    const given = facts.filter(([, value]) => value !== '');
    const width = Math.max(0, ...given.map(([name]) => name.length));
    for (const [name, value] of given)
      this.line(`${indent}${this.styled('dim', name.padEnd(width))}  ${printable(value)}`);
  }

  /** The whole output as one JSON document. */
  document(value: JsonValue): void {
    this.line(JSON.stringify(value, null, 2));
  }

  /** One item of many, on a line of its own. */
  item(value: JsonValue): void {
    this.line(JSON.stringify(value));
  }

  /** A message of the contract as one JSON document, in its proto3 JSON form. */
  message<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
    this.document(toJson(schema, message));
  }

  /** A message of the contract as one item of many. */
  messageItem<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
    this.item(toJson(schema, message));
  }
}
