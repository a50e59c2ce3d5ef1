/** `muster completion`: the scripts, run in the real shells if they are installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { runMuster, runMusterProcess } from '../../../support/cli/cli.ts';

let folder: string;
const scriptOf = (shell: string) => join(folder, `muster.${shell}`);

beforeAll(async () => {
  folder = await makeScratchFolder();
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await runMusterProcess(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    writeFileSync(scriptOf(shell), stdout);
  }
});
afterAll(() => removeFolder(folder));

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** The completions of bash for the last word. */
function offered(...words: string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=(muster "$@"); COMP_CWORD=$#; _muster; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['--norc', '-euc', script, 'bash', scriptOf('bash'), ...words], { cwd: folder });
  return output.toString().split('\n').filter(Boolean);
}

describe('the bash script', () => {
  it('completes commands and subcommands after any options', () => {
    expect(offered('')).toEqual(expect.arrayContaining(['start', 'submit', 'queues', 'doctor', 'completion', 'help']));
    expect(offered('comp')).toEqual(['completion']);
    expect(offered('queues', '')).toEqual(expect.arrayContaining(['list', 'get', 'create', 'pause', 'resume']));
    expect(offered('--server', 'queues', '--json', 'workers', 'd')).toEqual(['drain']);
    expect(offered('worker', '')).toEqual(expect.arrayContaining(['exec']));
    expect(offered('queues', 'list', '')).toEqual([]);
    expect(offered('help', 'sub')).toEqual(['submit']);
  });

  it('completes options of the command and those of all commands', () => {
    expect(offered('queues', 'create', '--d')).toEqual(['--description']);
    expect(offered('queues', 'create', 'mails', '--')).toEqual(
      expect.arrayContaining(['--namespace', '--json', '--help']),
    );
    expect(offered('start', '--grpc')).toEqual(['--grpc-port']);
    expect(offered('worker', 'exec', '--hand')).toEqual(['--handler']);
  });

  it('completes values: choices, files and folders, and nothing for free text', () => {
    expect(offered('start', '--log-level', '')).toEqual(['debug', 'info', 'warn', 'error', 'silent']);
    expect(offered('start', '--log-level', '=', 'w')).toEqual(['warn']);
    expect(offered('completion', 'z')).toEqual(['zsh']);
    expect(offered('worker', 'exec', '--output', '')).toEqual(['auto', 'json', 'text', 'bytes']);
    expect(offered('worker', 'exec', '--file', 'muster.b')).toEqual(['muster.bash']);
    expect(offered('import', 'muster.')).toEqual(['muster.bash', 'muster.zsh', 'muster.fish'].sort());
    expect(offered('start', '--data', 'muster.b')).toEqual(['muster.bash']);
    expect(offered('queues', 'pause', 'mails', '--reason', '')).toEqual([]);
  });

  it('registers itself when it is sourced', () => {
    const listed = execFileSync('bash', ['--norc', '-c', `source ${scriptOf('bash')}; complete -p muster`]).toString();
    expect(listed).toBe('complete -F _muster muster\n');
  });
});

describe.skipIf(!has('zsh'))('the zsh script', () => {
  it('is valid zsh', () => {
    expect(spawnSync('zsh', ['-n', scriptOf('zsh')]).stderr.toString()).toBe('');
  });
});

describe.skipIf(!has('fish'))('the fish script', () => {
  it('completes commands and options', () => {
    expect(spawnSync('fish', ['--no-execute', scriptOf('fish')]).stderr.toString()).toBe('');
    const offers = execFileSync('fish', ['-c', `source ${scriptOf('fish')}; complete -C 'muster queues c'`]).toString();
    expect(offers).toMatch(/^create\t/);
  });
});

it('completion refuses another shell, and names the known ones', async () => {
  const { code, stderr } = await runMuster(['completion', 'tcsh']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/Allowed choices are bash, zsh, fish/);
});
