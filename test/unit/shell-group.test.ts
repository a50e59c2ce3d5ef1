/** A script of a guide that fails leaves no background process behind. */
import { expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { lives } from '../support/cli/exec-worker.ts';
import { runInGroup } from '../support/cli/shell-group.ts';

const options = { cwd: '/', env: process.env, timeoutMs: 60_000 };

it('a shell group passes on the output, and ends what the script left in the background', async () => {
  const printed = await runInGroup('sleep 600 & echo $!; echo more; exit 3', options);
  const [pid = '', more] = printed.split('\n');
  expect(more).toBe('more');
  expect(Number(pid)).toBeGreaterThan(0);
  await eventually('it has ended', () => !lives(Number(pid)));
});

it('a shell group is killed with all its processes at its timeout', async () => {
  const run = runInGroup('sleep 600 & echo $!; sleep 600', { ...options, timeoutMs: 300 });
  const { message } = await run.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );
  const [, pid = ''] = /killed after 300 ms; it had printed: (\d+)/.exec(message) ?? [];
  expect(Number(pid)).toBeGreaterThan(0);
  await eventually('it has ended', () => !lives(Number(pid)));
});
