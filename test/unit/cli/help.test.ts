/** The help of every command says what the command is for and shows an example. */
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../server/cli/program.ts';

const program = createProgram('1.2.3', process);

function leaves(command: Command): Command[] {
  const own = command.commands.filter((one) => one.name() !== 'help');
  return own.length === 0 ? [command] : own.flatMap(leaves);
}

/** The help as `--help` prints it, with the texts before and after it. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

const commands = leaves(program).map((command) => [nameOf(command), command] as const);

describe('the help', () => {
  it.each(commands)('of %s says what it is for, what each option does, and shows an example', (name, command) => {
    expect(command.description()).not.toBe('');
    for (const { flags, description } of command.options) expect([flags, description]).not.toEqual([flags, '']);
    if (name === 'muster exit-codes') return; // it is an explanation itself
    const help = helpOf(command);
    expect(help).toContain(`Usage: ${name}`);
    expect(help).toMatch(new RegExp(`Examples?:\\n(?:.*\\n)*? +.*${name}`));
  });

  it('lists every required command', () => {
    const names = program.commands.map((command) => command.name());
    const wanted =
      'start server apply submit get list watch logs cancel retry redrive pause resume queues workers definitions doctor';
    expect(names).toEqual(expect.arrayContaining(wanted.split(' ')));
  });

  it('says that each option for demands replaces all demands', () => {
    const [, submit] = commands.find(([name]) => name === 'muster submit') ?? [];
    const help = (submit ? helpOf(submit) : '').replaceAll(/\s+/g, ' ');
    for (const flag of [
      '--demand <name=amount>',
      '--require <key=value>',
      '--require-that <expression>',
      '--prefer <expression>',
    ])
      expect(help).toMatch(new RegExp(`${flag} (?:(?! --).)*; replaces ALL demands of the definition`));
    expect(help).toMatch(/muster submit train --demand gpu=1 .*--prefer .*muster submit train --sticky /);
  });

  it('shows the global options at each command', () => {
    const [, get] = commands.find(([name]) => name === 'muster get') ?? [];
    expect(get && helpOf(get)).toMatch(/Global Options:[\s\S]*--namespace/);
  });
});
