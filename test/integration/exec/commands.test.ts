/** Commands as handlers: their input, their output, and the outcomes of their exits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FailureCause, JobState, payload } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../../support/base/replica.ts';
import { runMusterProcess } from '../../support/cli/cli.ts';
import { type ExecWorld, failureOf, startExecWorld } from '../../support/cli/exec-worker.ts';

/** All run by one worker; each is a shell script by default. */
const handlers = {
  same: { command: ['cat'] },
  // Reads nothing of its input, and has exited while a pipe would still be full.
  deaf: { command: ['true'] },
  text: { command: ['cat'], output: 'text' },
  bytes: { command: ['cat'], output: 'bytes' },
  json: { command: ['cat'], output: 'json' },
  file: { command: ['cat', '{input}'] },
  words: { command: ['printf', '[%s]', '$HOME', '*', 'a b', ''] },
  variables: {
    command: ['env'],
    environment: { GREETING: 'hello', PASSED_OVER: 'mine' },
    passEnvironment: ['PASSED', 'NOT_SET'],
  },
  place: { command: ['pwd'], directory: '/' },
  devices: { command: ['sh', '-c', 'echo to the log >/dev/stderr; echo 42 >/dev/stdout; cat /dev/stdin >/dev/null'] },
  code: {
    command: ['sh', '-c', 'read code; echo "first line" >&2; echo "the last word" >&2; exit $code'],
    exitCodes: {
      3: { type: 'NoSuchUser', nonRetryable: true },
      4: { infrastructure: true },
      5: { retryDelay: '1h' },
      65: { type: 'Odd' },
    },
  },
  signal: { command: ['sh', '-c', 'echo last >&2; read name; kill -s $name $$'] },
  talks: {
    command: [
      'sh',
      '-c',
      `if [ -e "$MUSTER_CHECKPOINT_FILE" ]; then cat "$MUSTER_CHECKPOINT_FILE"; exit; fi
       printf '%s\\n' '{"progress":0.5,"message":"half"}' '{"log":"careful","level":"warn"}' '{"extend":"90s"}' \
         '{"checkpoint":{"row":7}}' 'no json' '{"progress":7}' '{"procress":1}' >&3
       exit 75`,
    ],
  },
  open: { command: ['sh', '-c', 'ulimit -n'], openFiles: 64 },
  most: { command: ['sh', '-c', 'head -c 1000 /dev/zero'], output: 'bytes', outputLimit: 1000 },
  over: { command: ['sh', '-c', 'head -c 1001 /dev/zero; sleep 600'], output: 'bytes', outputLimit: 1000 },
  flood: { command: ['sh', '-c', 'yes this goes on for ever'] },
  loud: { command: ['sh', '-c', 'seq 300000 >&2; seq 300000 | sed "s/.*/{\\"log\\":\\"&\\"}/" >&3; echo done'] },
  long: {
    command: [
      'sh',
      '-c',
      'head -c 3000000 /dev/zero | tr "\\0" x >&3; echo >&3; head -c 20000 /dev/zero | tr "\\0" y >&2; echo 1',
    ],
  },
  // It keeps its memory allocated, so that a check every 100 ms sees it.
  hungry: {
    command: ['sh', '-c', 'head -c 200000000 /dev/zero | tail -c 200000000 | sleep 600'],
    memory: '64Mi',
  },
  sparing: { command: ['sh', '-c', 'sleep 0.5; echo 1'], memory: '64Mi' },
  // Exists when the worker starts, and is deleted later.
  fleeting: { command: ['./fleeting'] },
  nonsense: { command: ['./nonsense'] },
};

let world: ExecWorld;
let folder: string;

beforeAll(async () => {
  folder = await makeScratchFolder();
  for (const name of ['fleeting', 'nonsense'])
    writeFileSync(join(folder, name), '#!/nowhere/interpreter\n', { mode: 0o755 });
  writeFileSync(join(folder, 'handlers.json'), JSON.stringify({ handlers }));
  world = await startExecWorld();
  for (const name of Object.keys(handlers)) await world.define(name);
  const env = { PASSED: 'on', PASSED_OVER: 'theirs', SECRET: 'of the worker', MUSTER_SECRET: 'of the worker' };
  await world.worker(['--file', join(folder, 'handlers.json'), '--name', 'commands'], env);
});

afterAll(async () => {
  await world?.stop();
  await removeFolder(folder);
});

const submit = (name: string, input?: unknown) => world.client.submit(name, input);
const resultOf = async (name: string, input?: unknown) => world.client.result(await submit(name, input));
const endOf = async (name: string, input?: unknown) => world.client.wait(await submit(name, input));
const textOf = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);
const text = (words: string) => payload(new TextEncoder().encode(words), 'text/plain');

async function failure(name: string, input?: unknown) {
  return failureOf(await endOf(name, input));
}

async function logOf(name: string, input?: unknown) {
  const job = await submit(name, input);
  await world.client.wait(job);
  const lines: string[] = [];
  for await (const { message } of world.client.logs(job)) lines.push(message);
  return lines;
}

describe('input and result of a command', () => {
  it('are its stdin and stdout, byte for byte: JSON, text, bytes, or nothing', async () => {
    expect(await resultOf('same', { a: [1, 'é'] })).toEqual({ a: [1, 'é'] });
    expect(await resultOf('same')).toBeUndefined();
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 256);
    expect(await resultOf('same', bytes)).toEqual(bytes);
    expect((await endOf('same', text('just text\n'))).outcome.value).toMatchObject({
      contentType: 'text/plain; charset=utf-8',
      data: new TextEncoder().encode('just text\n'),
    });
  });

  it('have the content type that the handler sets, or the job fails for good', async () => {
    expect((await endOf('text', text('5'))).outcome.value).toMatchObject({ contentType: 'text/plain; charset=utf-8' });
    expect((await endOf('bytes', text('5'))).outcome.value).toMatchObject({ contentType: 'application/octet-stream' });
    expect(await resultOf('json', 5)).toBe(5);
    expect(await failure('json', text('{no'))).toMatchObject({ type: 'InvalidOutput', nonRetryable: true });
    expect(await failure('json')).toMatchObject({ type: 'InvalidOutput', nonRetryable: true });
    expect(await failure('text', Uint8Array.of(0xff))).toMatchObject({ type: 'InvalidOutput', nonRetryable: true });
  });

  it('include an input that is not read: a command can close stdin early', async () => {
    expect(await resultOf('deaf', new Uint8Array(500_000))).toBeUndefined();
  });

  it('can be read from a file, too', async () => {
    expect(await resultOf('file', { a: 1 })).toEqual({ a: 1 });
  });

  it('can be passed by /dev/stdin, /dev/stdout and /dev/stderr', async () => {
    expect(await resultOf('devices')).toBe(42);
    expect(await logOf('devices')).toEqual(['to the log']);
  });

  it('of more bytes than the limit fail the job for good, and end the command', async () => {
    expect(await resultOf('most')).toEqual(new Uint8Array(1000));
    expect(await failure('over')).toMatchObject({ type: 'OutputTooLarge', nonRetryable: true });
    expect(await failure('flood')).toMatchObject({ type: 'OutputTooLarge', nonRetryable: true });
  });
});

describe('a command', () => {
  it('runs without a shell', async () => {
    expect(textOf(await resultOf('words'))).toBe('[$HOME][*][a b][]');
  });

  it('has few variables: those of its job, the configured ones, and no others of the worker', async () => {
    const job = await submit('variables');
    const lines = textOf(await world.client.result(job))
      .trim()
      .split('\n');
    const variables = Object.fromEntries(lines.map((line) => line.split(/=(.*)/, 2)));
    expect(variables).toMatchObject({
      GREETING: 'hello',
      PASSED: 'on',
      PASSED_OVER: 'mine',
      MUSTER_JOB_ID: job.jobId,
      MUSTER_ATTEMPT: '1',
      MUSTER_ATTEMPT_COUNT: '0',
      MUSTER_DEFINITION: 'variables',
      MUSTER_DEFINITION_VERSION: '1',
      MUSTER_NAMESPACE: 'default',
      MUSTER_FD: '3',
    });
    const others = Object.keys(variables).filter((name) => !/^(MUSTER_|TRACE)/.test(name));
    const known = ['GREETING', 'HOME', 'LANG', 'PASSED', 'PASSED_OVER', 'PATH', 'TZ', 'PWD', 'OLDPWD', 'SHLVL', '_'];
    expect(others.filter((name) => !known.includes(name))).toEqual([]);
    expect(lines.join()).not.toContain('of the worker');
  });

  it('runs in its folder, with its limit of open files', async () => {
    expect(textOf(await resultOf('place'))).toBe('/\n');
    expect(await resultOf('open')).toBe(64);
  });

  it('that is not executable fails for good with a clear message', async () => {
    expect(await failure('nonsense')).toMatchObject({ nonRetryable: true, type: 'ExitCode' });
    await removeFolder(join(folder, 'fleeting'));
    const message = 'there is no file "./fleeting"';
    expect(await failure('fleeting')).toMatchObject({ type: 'CannotStart', nonRetryable: true, message });
  });
});

describe('the exit of a command', () => {
  it('is a failure with its code and its last output', async () => {
    const message = 'exit code 9: first line\nthe last word';
    expect(await failure('code', 9)).toMatchObject({ type: 'ExitCode', exitCode: 9, nonRetryable: false, message });
    expect(await failure('code', 1)).toMatchObject({ failureCause: FailureCause.APPLICATION });
  });

  it('is judged by sysexits and shell conventions, unless the handler has a rule', async () => {
    for (const code of [64, 77, 78, 126, 127])
      expect(await failure('code', code)).toMatchObject({ exitCode: code, nonRetryable: true });
    expect(await failure('code', 75)).toMatchObject({ nonRetryable: false, type: 'ExitCode' });
    expect(await failure('code', 65)).toMatchObject({ nonRetryable: false, type: 'Odd' });
    expect(await failure('code', 3)).toMatchObject({ nonRetryable: true, type: 'NoSuchUser', exitCode: 3 });
    expect((await failure('code', 5)).retryDelay).toMatchObject({ seconds: 3600n });
  });

  it('can be an infrastructure failure, which costs no attempt', async () => {
    const job = await submit('code', 4);
    const failed = await eventually('an attempt has failed', async () =>
      (await world.client.get(job)).attempts.find((attempt) => attempt.failure !== undefined),
    );
    expect(failed.failure).toMatchObject({ failureCause: FailureCause.INFRASTRUCTURE, exitCode: 4 });
    expect((await world.client.get(job)).state).not.toBe(JobState.FAILED);
    await world.client.cancel(job);
  });

  it('by a signal is a failure of the type Signal', async () => {
    expect(await failure('signal', text('USR1\n'))).toMatchObject({
      type: 'Signal',
      exitCode: 138,
      nonRetryable: false,
      message: 'ended by SIGUSR1: last',
    });
  });
});

describe('descriptor 3 of a command', () => {
  it('accepts progress, logs, time and a checkpoint for the next attempt; bad lines are logged', async () => {
    await world.define('talks', 2);
    const job = await submit('talks');
    expect(await world.client.result(job)).toEqual({ row: 7 });
    const lines: string[] = [];
    for await (const { message } of world.client.logs(job)) lines.push(message);
    expect(lines).toEqual([
      'careful',
      expect.stringContaining('a line on descriptor 3 was ignored: '),
      'a line on descriptor 3 was ignored: progress takes a number from 0 to 1, or an object with done, total and unit',
      expect.stringContaining('"procress" is not known'),
    ]);
  });

  it('can be flooded, and so can stderr', async () => {
    expect(textOf(await resultOf('loud'))).toBe('done\n');
    expect(await resultOf('long')).toBe(1);
    const lines = await logOf('long');
    expect(lines[0]).toMatch(/descriptor 3 was ignored: it has more than 1048576 bytes|^y{8192}$/);
    expect(lines.filter((line) => line.startsWith('y')).join('')).toBe('y'.repeat(20_000));
  });
});

describe('the memory of a command', () => {
  it('is bounded over all its processes: a job that used more can get more the next time', async () => {
    expect(await resultOf('sparing')).toBe(1);
    const found = await failure('hungry');
    expect(found).toMatchObject({ type: 'OutOfMemory', exitCode: 137, nonRetryable: false });
    expect(found.message).toMatch(/^the command used \d{8,} bytes of memory and was killed; the limit is 67108864$/);
  });
});

it('a job that ran out of memory continues on a worker with more', async () => {
  const amounts = { resources: { memory: 64 * 2 ** 20 }, memoryGrowth: { factor: 8, max: 2 ** 30 } };
  await world.define('growing', 2, { demands: amounts });
  const command = [
    'growing',
    '--',
    'sh',
    '-c',
    'head -c 200000000 /dev/zero | tail -c 200000000 | { sleep 1; wc -c; }',
  ];
  await world.worker(['--name', 'small', '--memory', '64Mi', '--resource', 'memory=100Mi', ...command]);
  const job = await submit('growing');
  await eventually('the first attempt has failed', async () =>
    (await world.client.get(job)).attempts.some((attempt) => attempt.failure?.type === 'OutOfMemory'),
  );
  await world.worker(['--name', 'large', '--memory', '800Mi', '--resource', 'memory=1Gi', ...command]);
  expect(await world.client.result(job)).toBe(200_000_000);
  expect((await world.client.get(job)).attempts.at(-1)?.workerName).toBe('large');
});

it('an exec worker that the server refuses prints the reason, and ends', async () => {
  const { code, stderr } = await runMusterProcess([
    '--server',
    world.replica.grpcAddress,
    'worker',
    'exec',
    '--name',
    'Not A Name',
    'same',
    '--',
    'cat',
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/worker_name/);
});
