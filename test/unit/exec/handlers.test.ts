/** Handlers as users write them: on the command line and in files. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  exitRule,
  handlersOf,
  namedCommand,
  outputLimit,
  variableName,
} from '../../../server/cli/exec/handler-options.ts';
import { parseHandlers } from '../../../server/cli/exec/handlers-file.ts';
import { splitWords } from '../../../server/cli/exec/words.ts';
import type { CliError } from '../../../server/cli/failures/cli-error.ts';

describe('the command line of a handler', () => {
  it.each([
    ['tr a-z A-Z', ['tr', 'a-z', 'A-Z']],
    ['  a   b\t', ['a', 'b']],
    ["sh -c 'sort | uniq -c'", ['sh', '-c', 'sort | uniq -c']],
    ['a "b \\"c\\" \\n" d\\ e', ['a', 'b "c" \\n', 'd e']],
    [`a'b'"c"d ''`, ['abcd', '']],
    ['convert {input} *.png', ['convert', '{input}', '*.png']],
    ['', []],
  ])('%j is split into words', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it.each([
    ['sort | uniq', /"\|" is special in a shell/],
    ['echo $HOME', /"\$" is special in a shell/],
    ['cat <file', /"<" is special in a shell/],
    ["echo 'a", /quote \('\) is not closed/],
    ['echo "a\\"', /quote \("\) is not closed/],
    ['echo a\\', /ends with a backslash/],
  ])('%j is refused', (text, why) => {
    expect(() => splitWords(text)).toThrow(why);
  });
});

describe('the options of the worker', () => {
  it('name handlers and their commands', () => {
    const commands = namedCommand('b=cat', namedCommand('a=tr = -'));
    expect(commands).toEqual([
      ['a', ['tr', '=', '-']],
      ['b', ['cat']],
    ]);
    expect(() => namedCommand('a=cat', commands)).toThrow('"a" is given twice');
    for (const text of ['a', '=cat']) expect(() => namedCommand(text)).toThrow('It takes NAME=COMMAND.');
    expect(() => namedCommand('a= ')).toThrow('It names no command.');
  });

  it('map exit codes to outcomes', () => {
    expect(exitRule('65=non-retryable').get(65)).toMatchObject({ nonRetryable: true, infrastructure: false });
    expect(exitRule('75=retry:30s').get(75)).toMatchObject({ nonRetryable: false, retryDelayMs: 30_000 });
    expect(exitRule('74=infrastructure').get(74)).toMatchObject({ infrastructure: true });
    for (const text of [
      '0=non-retryable',
      '256=non-retryable',
      '1=later',
      '1=non-retryable:3s',
      '1=retry:soon',
      '1=retry:31d',
      'x=retry',
      '1',
    ])
      expect(() => exitRule(text)).toThrow(/It takes a code from 1 to 255/);
    expect(() => exitRule('65=retry', exitRule('65=non-retryable'))).toThrow('The code 65 is given twice.');
    expect(outputLimit('64Ki')).toBe(65_536);
    expect(() => outputLimit('1Mi')).toThrow('It takes at most 512Ki');
    expect(() => variableName('A B')).toThrow(/name of a variable/);
  });

  it('apply to all handlers of the command line', () => {
    const options = { grace: 7, suspendSignal: 'SIGUSR1', env: { A: 'b' }, directory: '/srv' } as const;
    const handlers = handlersOf(namedCommand('a=cat'), options, '/here');
    expect(handlers.get('a')).toMatchObject({
      graceMs: 7,
      suspendSignal: 'SIGUSR1',
      environment: { A: 'b' },
      directory: '/srv',
      openFiles: 1024,
    });
  });
});

function detailsOf(value: unknown): readonly string[] {
  try {
    parseHandlers(value, 'a.yaml', '/srv');
  } catch (error) {
    return (error as CliError).details;
  }
  return [];
}

describe('a file of handlers', () => {
  it('may look as the guide and the help show it', () => {
    const guide = readFileSync(new URL('../../../docs/exec.md', import.meta.url), 'utf8');
    const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
    expect(parseHandlers(parse(shown), 'guide', '/').get('resize')).toMatchObject({
      directory: '/images',
      memory: 2 ** 29,
    });
    const source = readFileSync(new URL('../../../server/cli/commands/sessions/worker.ts', import.meta.url), 'utf8');
    const [, helped = ''] = /A file of handlers:\n([\s\S]*?)\n\n/.exec(source) ?? [];
    expect([...parseHandlers(parse(helped), 'help', '/').keys()]).toEqual(['resize', 'report']);
  });

  it('may set every option of a handler', () => {
    const handlers = parseHandlers(
      {
        handlers: {
          full: {
            command: ['convert', '{input}', 7],
            environment: { A: 'b', N: 3 },
            passEnvironment: ['AWS_REGION'],
            directory: 'sub',
            output: 'bytes',
            outputLimit: '64Ki',
            memory: '1Gi',
            openFiles: 64,
            grace: '20s',
            suspendSignal: 'SIGINT',
            exitCodes: {
              3: { type: 'Bad', nonRetryable: true },
              75: { retryDelay: '30s' },
              74: { infrastructure: true },
            },
          },
          least: { command: ['true'] },
        },
      },
      'a.yaml',
      '/srv',
    );
    expect(handlers.get('full')).toEqual({
      command: ['convert', '{input}', '7'],
      environment: { A: 'b', N: '3' },
      passEnvironment: ['AWS_REGION'],
      directory: '/srv/sub',
      output: 'bytes',
      outputLimit: 65_536,
      memory: 2 ** 30,
      openFiles: 64,
      graceMs: 20_000,
      suspendSignal: 'SIGINT',
      exitRules: new Map([
        [3, { type: 'Bad', nonRetryable: true }],
        [74, { infrastructure: true }],
        [75, { retryDelayMs: 30_000 }],
      ]),
    });
    expect(handlers.get('least')).toMatchObject({ directory: '/srv', output: 'auto', memory: undefined });
  });

  it.each([
    [{}, 'a.yaml: handlers: names none'],
    [[], 'a.yaml: takes fields and their values'],
    [{ handlers: {}, slots: 3 }, 'a.yaml: slots: is no field; there are handlers'],
    [{ handlers: { a: 'cat' } }, 'a.yaml: handlers.a: takes fields and their values'],
    [{ handlers: { a: { command: [] } } }, /^a.yaml: handlers.a.command: takes a list of a program and its arguments/],
    [{ handlers: { a: { command: 'cat' } } }, 'a.yaml: handlers.a.command: takes a list of texts'],
    [{ handlers: { a: { command: ['a'], comand: 1 } } }, /^a.yaml: handlers.a.comand: is no field; there are command,/],
    [{ handlers: { a: { command: ['a'], output: 'xml' } } }, /handlers.a.output: takes one of auto, json, text, bytes/],
    [{ handlers: { a: { command: ['a'], memory: '1 GB' } } }, 'a.yaml: handlers.a.memory: takes bytes, such as 512Mi'],
    [{ handlers: { a: { command: ['a'], memory: 0 } } }, 'a.yaml: handlers.a.memory: takes bytes, such as 512Mi'],
    [{ handlers: { a: { command: ['a'], grace: 5 } } }, 'a.yaml: handlers.a.grace: takes a span up to 1h, such as 5s'],
    [{ handlers: { a: { command: ['a'], grace: '61m' } } }, /handlers.a.grace: takes a span up to 1h/],
    [{ handlers: { a: { command: ['a'], suspendSignal: 'SIGKILL' } } }, /suspendSignal: takes one of SIGTSTP, SIGTERM/],
    [{ handlers: { a: { command: ['a'], outputLimit: '513Ki' } } }, /handlers.a.outputLimit: takes bytes up to 512Ki/],
    [{ handlers: { a: { command: ['a'], openFiles: 15 } } }, /handlers.a.openFiles: takes a whole number from 16/],
    [
      { handlers: { a: { command: ['a'], exitCodes: { 1: { retryDelay: '31d' } } } } },
      /retryDelay: takes a span up to 30d/,
    ],
    [{ handlers: { a: { command: ['a'], environment: { A: [] } } } }, 'a.yaml: handlers.a.environment.A: takes text'],
    [{ handlers: { a: { command: ['a'], exitCodes: { 0: {} } } } }, /handlers.a.exitCodes.0: is not an exit code/],
    [
      { handlers: { a: { command: ['a'], exitCodes: { 1: { nonRetryable: true, retryDelay: '1s' } } } } },
      'a.yaml: handlers.a.exitCodes.1: takes one of nonRetryable, infrastructure and retryDelay',
    ],
  ])('is refused with %j', (value, fault) => {
    expect(detailsOf(value)).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });
});
