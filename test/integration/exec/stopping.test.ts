/** Commands that are stopped by cancels, timeouts and the end of their worker, with all of their child processes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { JobState } from '@muster-jobs/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { type ExecWorld, failureOf, lives, startExecWorld } from '../../support/cli/exec-worker.ts';

let world: ExecWorld;

beforeAll(async () => {
  world = await startExecWorld();
});

afterEach(() => world.stopWorkers());

afterAll(() => world?.stop());

/** Reports in its progress its own pid, and those of its child processes if it knows them. */
const REPORT = `tell() { echo "{\\"progress\\": 0.1, \\"message\\": \\"$*\\"}" >&3; }`;

const scripts = {
  /**
   * Ignores SIGTERM, and has a grandchild in its group, one in a group of its own, and one that ignores SIGTERM too.
   */
  stubborn: `${REPORT}; trap '' TERM
    sleep 601 & one=$!
    timeout 602 sleep 602 & two=$!
    sh -c "trap '' TERM; while :; do sleep 603; done" & three=$!
    tell $$ $one $two $three; while :; do sleep 604; done`,
  /** Cleans up when it is asked to stop, and has no result. */
  orderly: `${REPORT}; trap 'echo tidied >&2; exit 9' TERM; tell $$; while :; do sleep 0.05; done`,
  /** Is done when it is asked to stop. */
  /** Saves a checkpoint when its job is paused, and ends; continues from the checkpoint. */
  patient: `${REPORT}; save() { echo '{"checkpoint": {"page": 7}}' >&3; exit 1; }; trap save TSTP
    if [ -n "$MUSTER_CHECKPOINT_FILE" ]; then cat "$MUSTER_CHECKPOINT_FILE"; exit 0; fi
    tell $$; while :; do sleep 0.05; done`,
  ready: `${REPORT}; trap 'echo \\"made it\\"; exit 0' TERM; tell $$; while :; do sleep 0.05; done`,
  /** Exits, and leaves a process behind that holds its stdout. */
  leaves: `sleep 605 & echo $!`,
  /** Exits while a process that has left its session still holds its stdout. */
  escapes: `setsid sleep 606 &
    until read -r _ _ _ _ _ session _ </proc/$!/stat && [ "$session" = $! ]; do :; done
    echo $!`,
  brief: `${REPORT}; tell $$; while [ ! -e "$HOME/go-on" ]; do sleep 0.05; done; echo 1`,
};

/** Starts a job, and returns the pids of its processes. */
async function started(name: string) {
  const job = await world.client.submit(name);
  const pids = await eventually('the command reports its processes', async () => {
    const { progress } = await world.client.get(job);
    return progress?.message ? progress.message.split(' ').map(Number) : undefined;
  });
  return { job, pids };
}

/** The same for a job that nothing else stops. */
async function running(name: string) {
  const { job, pids } = await started(name);
  expect(pids.filter(lives)).toEqual(pids);
  return { job, pids };
}

const gone = (pids: readonly number[]) => eventually('the processes are gone', () => !pids.some(lives));

const untilPaused = (job: { jobId: string }) =>
  eventually('the job is paused', async () => (await world.client.get(job.jobId)).state === JobState.PAUSED);

async function logOf(job: { jobId: string }) {
  const lines: string[] = [];
  for await (const { message } of world.client.logs(job.jobId)) lines.push(message);
  return lines;
}

describe('a cancel of a command', () => {
  it('kills a command that ignores it, with its child processes, after the grace period', async () => {
    await world.script('stubborn', scripts.stubborn, ['--grace', '300ms']);
    const { job, pids } = await running('stubborn');
    await world.client.cancel(job);
    expect((await world.client.wait(job)).state).toBe(JobState.CANCELLED);
    await gone(pids);
  });

  it('lets a command clean up; one that ends with success wins', async () => {
    await world.script('orderly', scripts.orderly);
    await world.script('ready', scripts.ready, ['--name', 'other']);
    const { job } = await running('orderly');
    await world.client.cancel(job);
    expect((await world.client.wait(job)).state).toBe(JobState.CANCELLED);
    expect(await logOf(job)).toContain('tidied');
    const won = await running('ready');
    await world.client.cancel(won.job);
    expect(await world.client.result(won.job)).toBe('made it');
  });
});

describe('a pause of a command that runs', () => {
  it('lets it save a checkpoint, from which it continues', async () => {
    await world.script('patient', scripts.patient);
    const { job, pids } = await running('patient');
    await world.client.pause(job, '', { running: true });
    await gone(pids);
    await untilPaused(job);
    expect(await world.client.get(job)).toMatchObject({ attemptCount: 0, stateReason: 'paused on request' });
    await world.client.resume(job);
    expect(await world.client.result(job)).toEqual({ page: 7 });
  });

  it('ends one that ignores the signal with SIGTERM, and then with SIGKILL', async () => {
    await world.script('orderly', scripts.orderly, ['--grace', '100ms']);
    await world.script('stubborn', scripts.stubborn, ['--name', 'another', '--grace', '100ms']);
    for (const name of ['orderly', 'stubborn']) {
      const { job, pids } = await running(name);
      await world.client.pause(job, '', { running: true });
      await gone(pids);
      await untilPaused(job);
      await world.client.cancel(job);
    }
  });
});

it('a run timeout ends a command', async () => {
  await world.script('timed', scripts.stubborn, ['--grace', '100ms']);
  await world.define('timed', 1, { runTimeout: { seconds: 8n } });
  const { job, pids } = await started('timed');
  expect(failureOf(await world.client.wait(job))).toMatchObject({ type: 'RunTimeout' });
  await gone(pids);
});

it('processes that a command leaves behind end with it', async () => {
  await world.script('leaves', scripts.leaves);
  const left = Number(await world.client.result(await world.client.submit('leaves')));
  expect(left).toBeGreaterThan(1);
  await gone([left]);
});

it('a process that has left the session does not delay the end of the job', async () => {
  await world.script('escapes', scripts.escapes);
  const pid = await world.client.result<number>(await world.client.submit('escapes'));
  expect(lives(pid)).toBe(true);
  process.kill(pid, 'SIGKILL');
});

describe('the end of an exec worker', () => {
  it('by SIGTERM waits for running commands', async () => {
    const folder = world.replica.dataFolder;
    await world.define('brief');
    const worker = await world.worker(['brief', '--', 'sh', '-c', scripts.brief], { HOME: folder });
    const { job } = await running('brief');
    worker.kill('SIGTERM');
    await eventually('the worker drains', async () =>
      (await world.client.listWorkers()).workers.some(({ draining }) => draining),
    );
    writeFileSync(`${folder}/go-on`, '');
    expect(await world.client.result(job)).toBe(1);
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('by SIGTERM stops commands that run longer than it waits, and requeues their jobs', async () => {
    await world.define('given-back', 3);
    const args = ['--drain-timeout', '200ms', '--grace', '200ms', 'given-back', '--', 'sh', '-c', scripts.stubborn];
    const worker = await world.worker(args);
    const { job, pids } = await running('given-back');
    worker.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    expect(pids.some(lives)).toBe(false);
    const { state } = await world.client.get(job);
    expect([JobState.READY, JobState.SCHEDULED]).toContain(state);
  });

  it('by SIGKILL leaves no process and no file behind', async () => {
    const worker = await world.script('killed', scripts.stubborn);
    const { pids } = await running('killed');
    const folder = folderOf(pids[0] as number);
    expect(existsSync(folder)).toBe(true);
    worker.kill('SIGKILL');
    await gone(pids);
    await eventually('the folder is gone', () => !existsSync(folder));
  });
});

it('an exec worker whose guardian process was ended finishes its jobs, and ends', async () => {
  const HOME = `${world.replica.dataFolder}/unguarded`;
  mkdirSync(HOME);
  await world.define('unguarded');
  const worker = await world.worker(['unguarded', '--', 'sh', '-c', scripts.brief], { HOME });
  const { job, pids } = await running('unguarded');
  const folder = folderOf(pids[0] as number);
  process.kill(guardianOf(folder), 'SIGKILL');
  await eventually('the worker drains', async () =>
    (await world.client.listWorkers()).workers.some(({ draining }) => draining),
  );
  writeFileSync(`${HOME}/go-on`, '');
  expect(await world.client.result(job)).toBe(1);
  expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('guards the commands') });
  expect(existsSync(folder)).toBe(false);
});

function guardianOf(folder: string): number {
  const words = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      return words(pid).includes('muster-exec-guardian') && words(pid).includes(folder);
    } catch {
      return false; // it has exited
    }
  });
  return Number(found);
}

/** The worker's folder, as one of its commands sees it. */
function folderOf(pid: number): string {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const file = variables.find((one) => one.startsWith('MUSTER_INPUT_FILE='));
  return /=(.*\/muster-exec-[^/]+)\//.exec(file ?? '')?.[1] ?? '';
}

it('attempts leave no descriptors and no files in the worker', async () => {
  await world.define('plain');
  const worker = await world.worker([
    '--slots',
    '4',
    'plain',
    '--',
    'sh',
    '-c',
    'dirname "$MUSTER_INPUT_FILE"; exit $(cat)',
  ]);
  const open = () => readdirSync(`/proc/${worker.pid}/fd`).length;
  const folder = await world.client.result<Uint8Array>(await world.client.submit('plain', 0));
  const before = open();
  const jobs = await world.client.submitMany(
    Array.from({ length: 40 }, (_, at) => ({ definition: 'plain', input: at % 2 })),
  );
  for (const job of jobs) await world.client.wait(job);
  await eventually('all is closed', () => open() <= before);
  const place = dirname(new TextDecoder().decode(folder).trim());
  expect(place).toContain('muster-exec-');
  await eventually('the folders are gone', () => !readdirSync(place).some((name) => name.startsWith('job-')));
});

it('no more commands run at once than there are slots', async () => {
  const HOME = world.replica.dataFolder;
  await world.define('busy');
  const script = 'mkdir -p "$HOME/busy"; cd "$HOME/busy"; touch $$; ls | wc -l; sleep 0.2; rm $$';
  await world.worker(['--slots', '2', 'busy', '--', 'sh', '-c', script], { HOME });
  const jobs = await world.client.submitMany(Array.from({ length: 6 }, () => ({ definition: 'busy' })));
  const seen = await Promise.all(jobs.map((job) => world.client.result<number>(job)));
  expect(Math.max(...seen)).toBe(2);
});
