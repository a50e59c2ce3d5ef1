/** A command in the process of a test does the same as a real process, and leaves nothing behind. */
import { describe, expect, it, vi } from 'vitest';
import { runMuster, runMusterProcess } from '../../../support/cli/cli.ts';

const nobody = '127.0.0.1:1';

describe('a command in the process of a test', () => {
  it.each([
    [[]],
    [['submit', '--help']],
    [['help', 'exit-codes']],
    [['sumbit']],
    [['list', '--limit', 'many', '--json']],
    [['apply', '-f', '-', '--server', nobody]],
    [['context', 'use', 'none']],
    [['get', 'x', '--server', nobody, '--json']],
  ])('%j exits and prints as in a process of its own', async (args) => {
    const settings = { stdin: 'name: add\n' };
    expect(await runMuster(args, settings)).toEqual(await runMusterProcess(args, settings));
  });

  it('changes no exit code, variable, listener or connection of that process', async () => {
    const state = () => ({
      exitCode: process.exitCode,
      env: { ...process.env },
      listeners: (['SIGINT', 'SIGTERM'] as const).map((signal) => process.listenerCount(signal)),
      sockets: process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length,
    });
    const before = state();
    expect((await runMuster(['list', '--server', nobody])).code).toBe(5);
    expect((await runMuster(['nothing'])).code).toBe(2);
    // A connection that was closed is gone once its socket has said so.
    await vi.waitFor(() => expect(state()).toEqual(before), { timeout: 10_000 });
  });
});
