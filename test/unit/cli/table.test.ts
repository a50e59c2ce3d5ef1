/** Tables fit the terminal, and no text from a job can control the terminal. */
import { describe, expect, it } from 'vitest';
import { printable, printableLines } from '../../../server/cli/output/printable.ts';
import { Table } from '../../../server/cli/output/table.ts';
import { cutTo, widthOf } from '../../../server/cli/output/width.ts';

const columns = [
  { title: 'ID', value: (row: { id: string; text: string }) => row.id },
  { title: 'TEXT', value: (row: { id: string; text: string }) => row.text, min: 6 },
];

describe('a table', () => {
  it('is as wide as its content when there is space', () => {
    const rows = [
      { id: 'a', text: 'short' },
      { id: 'bcd', text: 'a longer text' },
    ];
    expect(new Table(columns, Number.POSITIVE_INFINITY).lines(rows)).toEqual([
      'ID   TEXT',
      'a    short',
      'bcd  a longer text',
    ]);
  });

  it('shortens columns to their minimum width, and never an id', () => {
    const rows = [{ id: 'abcdefgh', text: 'a longer text' }];
    expect(new Table(columns, 18).lines(rows)).toEqual(['ID        TEXT', 'abcdefgh  a longe…']);
    expect(new Table(columns, 10).lines(rows)).toEqual(['ID        TEXT', 'abcdefgh  a lon…']);
  });

  it('shortens a column to its maximum width, also without a terminal', () => {
    const rows = [{ id: 'a', text: 'a longer text' }];
    const [id, text] = columns;
    const bounded = [id, { ...text, max: 8 }] as typeof columns;
    expect(new Table(bounded, Number.POSITIVE_INFINITY).lines(rows)).toEqual(['ID  TEXT', 'a   a longe…']);
  });

  it('keeps the column widths of its first page', () => {
    const table = new Table(columns, Number.POSITIVE_INFINITY);
    expect(table.lines([{ id: 'a', text: 'one' }])).toEqual(['ID  TEXT', 'a   one']);
    expect(table.lines([{ id: 'b', text: 'two, and more' }])).toEqual(['b   two…']);
  });

  it('prints no line for no rows', () => {
    expect(new Table(columns, 80).lines([])).toEqual([]);
  });

  it('counts wide letters as two and combining marks as none', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(cutTo(4, '日本語')).toBe('日…');
    expect(cutTo(6, '日本語')).toBe('日本語');
  });
});

describe('text from a job', () => {
  it.each([
    ['a\u001b[2Jb', 'a\\e[2Jb'],
    ['one\ntwo', 'one\\ntwo'],
    ['\u0007\u009b31m', '\\u0007\\u009b31m'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['plain ünïcode 日本', 'plain ünïcode 日本'],
  ])('%j is printed as %s', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('keeps line breaks and tabs where several lines are allowed', () => {
    expect(printableLines('a\tb\r\n\u001b[31mc')).toEqual(['a\tb', '\\e[31mc']);
  });
});
