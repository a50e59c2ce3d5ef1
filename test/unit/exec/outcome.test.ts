/** The outcome of a command's exit, and the environment variables of a command. */
import type { JobContext } from '@muster-jobs/sdk';
import { InfrastructureError, NonRetryableError, RetryLater } from '@muster-jobs/sdk';
import { describe, expect, it } from 'vitest';
import { type CommandSpec, DEFAULT_SPEC, type ExitRule } from '../../../workers/exec/command-spec.ts';
import { fixedEnvironment, jobEnvironment } from '../../../workers/exec/environment.ts';
import { failureOfEnd, resultOf } from '../../../workers/exec/outcome.ts';

function specWith(rules: Record<number, ExitRule> = {}): CommandSpec {
  const exitRules = new Map(Object.entries(rules).map(([code, rule]) => [Number(code), rule]));
  return { ...DEFAULT_SPEC, command: ['x'], directory: '/', exitRules };
}

const failure = (code: number, rules?: Record<number, ExitRule>) =>
  failureOfEnd({ code, signal: null }, specWith(rules), '');

describe('the exit of a command', () => {
  it('with code 0 is no failure', () => {
    expect(failure(0)).toBeUndefined();
  });

  it('is non-retryable for the codes that are so by default, and only those', () => {
    const codes = Array.from({ length: 255 }, (_, at) => at + 1);
    expect(codes.filter((code) => failure(code) instanceof NonRetryableError)).toEqual([64, 65, 77, 78, 126, 127]);
  });

  it('follows the rule for its code', () => {
    expect(failure(1, { 1: { nonRetryable: true, type: 'Bad' } })).toMatchObject({
      name: 'Bad',
      exitCode: 1,
      stack: '',
    });
    expect(failure(1, { 1: { retryDelayMs: 5 } })).toBeInstanceOf(RetryLater);
    expect(failure(1, { 1: { infrastructure: true } })).toBeInstanceOf(InfrastructureError);
    expect(failure(65, { 65: {} })).not.toBeInstanceOf(NonRetryableError);
  });

  it('by a signal has the exit code that shells give it', () => {
    const end = { code: null, signal: 'SIGKILL' } as const;
    expect(failureOfEnd(end, specWith(), 'last')).toMatchObject({
      name: 'Signal',
      exitCode: 137,
      message: 'ended by SIGKILL: last',
    });
  });
});

describe('the result', () => {
  it.each([
    ['', 'auto', undefined],
    ['{"a": 1}\n', 'auto', 'application/json'],
    ['[1,', 'auto', 'text/plain; charset=utf-8'],
    ['1', 'text', 'text/plain; charset=utf-8'],
    ['', 'text', 'text/plain; charset=utf-8'],
    ['1', 'bytes', 'application/octet-stream'],
    ['1', 'json', 'application/json'],
  ] as const)('from %j as %s has type %s, byte for byte', (stdout, output, contentType) => {
    const result = resultOf(Buffer.from(stdout), output);
    expect(result?.contentType).toBe(contentType);
    if (result) expect(Buffer.from(result.data).toString()).toBe(stdout);
  });

  it('that is not UTF-8 has the type of bytes', () => {
    expect(resultOf(Buffer.of(0xff), 'auto')?.contentType).toBe('application/octet-stream');
  });

  it('that does not match its declared type fails for good', () => {
    for (const output of ['json', 'text'] as const)
      expect(() => resultOf(Buffer.of(0xff), output)).toThrow(NonRetryableError);
  });
});

describe('the environment', () => {
  it('of a command contains only the named variables', () => {
    const own = { PATH: '/bin', HOME: '/root', SECRET: 's', MUSTER_SERVER: 'x:1', AWS_REGION: 'eu' };
    const given = { environment: { HOME: '/srv' }, passEnvironment: ['AWS_REGION'] };
    expect(fixedEnvironment(given, own)).toEqual({ PATH: '/bin', HOME: '/srv', AWS_REGION: 'eu' });
    expect(fixedEnvironment({ environment: {}, passEnvironment: [] }, {})).toEqual({
      PATH: expect.stringContaining('/usr/bin'),
    });
  });

  it('of a job leaves out values that it does not have', () => {
    const facts = { jobId: 'j', attempt: 2, attemptCount: 1, definition: 'd', definitionVersion: 3, namespace: 'n' };
    const context = { ...facts, traceparent: '00-1-2-01', tracestate: '' } as JobContext;
    const folder = { path: '/t', inputFile: '/t/input', checkpointFile: '/t/checkpoint' };
    expect(jobEnvironment(context, folder)).toEqual({
      MUSTER_JOB_ID: 'j',
      MUSTER_ATTEMPT: '2',
      MUSTER_ATTEMPT_COUNT: '1',
      MUSTER_DEFINITION: 'd',
      MUSTER_DEFINITION_VERSION: '3',
      MUSTER_NAMESPACE: 'n',
      MUSTER_INPUT_FILE: '/t/input',
      MUSTER_CHECKPOINT_FILE: '/t/checkpoint',
      MUSTER_FD: '3',
      TRACEPARENT: '00-1-2-01',
    });
  });
});
