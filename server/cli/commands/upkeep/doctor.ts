/** `muster doctor`: problems of this machine and of the server, and what to do about them. */
import type { Command } from 'commander';
import { version } from '../../../version.ts';
import { pathOf } from '../../command-process.ts';
import { examine } from '../../doctor/examine.ts';
import { type Finding, finding, type Level, worst } from '../../doctor/finding.ts';
import { checkDataFolder, checkNode } from '../../doctor/local.ts';
import { checkHttp, usualHttpUrl } from '../../doctor/server.ts';
import { Exit } from '../../failures/exit-codes.ts';
import { handled, type Invocation } from '../../invocation.ts';
import type { Output, Style } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';

interface Options {
  readonly http?: string;
  readonly data?: string;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .helpGroup('This program:')
    .description('Find problems on this machine, at the server, and with jobs that wait for a worker')
    .option('--http <url>', 'HTTP port of the server (default: its gRPC port plus ten)')
    .option('--data <folder>', 'data folder of an embedded deployment on this machine (default: .muster, if it exists)')
    .addHelpText(
      'after',
      `
Changes nothing. Exits with 0 if all is well, 20 if there are warnings, 21 if there are errors.

Examples:
  muster doctor
  muster doctor --server muster.example.com:7070 --http https://muster.example.com
  muster doctor --json | jq '.findings[] | select(.level == "ERROR")'`,
    )
    .action(handled<Options>(doctor));
}

async function doctor(invocation: Invocation, { http, data }: Options): Promise<number> {
  const connection = await invocation.connection();
  const url = http ?? usualHttpUrl(connection.target.server);
  const findings = [
    checkNode(),
    ...checkDataFolder(pathOf(invocation.process, data ?? '.muster'), data !== undefined),
    ...(url === undefined
      ? [finding('http', 'NOTE', 'not checked', '--http URL names the HTTP port of the server')]
      : await checkHttp(url, version, invocation.signal)),
    ...(await examine(connection)),
  ];
  const level = worst(findings);
  if (invocation.out.json) invocation.out.document({ level, findings: findings.map((one) => ({ ...one })) });
  else show(invocation.out, findings, level);
  return { OK: Exit.OK, NOTE: Exit.OK, WARNING: Exit.WARNINGS, ERROR: Exit.ERRORS }[level];
}

const styles: Readonly<Record<Level, readonly [string, Style]>> = {
  OK: ['ok', 'green'],
  NOTE: ['note', 'dim'],
  WARNING: ['look', 'yellow'],
  ERROR: ['FAIL', 'red'],
};

const verdicts: Readonly<Record<Level, string>> = {
  OK: 'All is well.',
  NOTE: 'All is well.',
  WARNING: 'There are warnings.',
  ERROR: 'There are errors.',
};

function show(out: Output, findings: readonly Finding[], level: Level): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, level: one, message, next } of findings) {
    const [word, style] = styles[one];
    out.line(`${out.styled(style, word.padEnd(4))}  ${check.padEnd(width)}  ${printable(message)}`);
    if (next !== '') out.line(`      ${' '.repeat(width)}  ${out.styled('dim', 'next')}  ${printable(next)}`);
  }
  out.line(verdicts[level]);
}
