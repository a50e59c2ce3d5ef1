/** The commands of a program in the form that completion needs: what may follow each. */
import type { Argument, Command, Option } from 'commander';

export interface OptionNode {
  /** Such as `-n` and `--namespace`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Possible values; empty: any. */
  readonly choices: readonly string[];
  /** The value is the name of a file or folder. */
  readonly file: boolean;
}

export interface CommandNode {
  /** Names from the program on, without the program, such as `queues list`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** Its own options and those of the program. */
  readonly options: readonly OptionNode[];
  /** Possible values of an argument; empty: any. */
  readonly choices: readonly string[];
  /** An argument is the name of a file. */
  readonly file: boolean;
}

const namesFile = /file|folder/;

function optionNode({ short, long, description, required, optional, argChoices, flags }: Option): OptionNode {
  return {
    names: [short, long].filter((name) => name !== undefined),
    description: firstLine(description),
    takesValue: required || optional,
    choices: argChoices ?? [],
    file: namesFile.test(/<(.*)>/.exec(flags)?.[1] ?? ''),
  };
}

/** Removes characters that are special inside the quotes of the three shells. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll(/[`$"\\]/g, '');
}

/** The program and all its commands, parents first. */
export function commandTree(program: Command): CommandNode[] {
  const help = program.createHelp();
  const shared = [...program.options].map(optionNode);
  const nodes: CommandNode[] = [];
  const visit = (command: Command, path: string) => {
    const visible = help.visibleCommands(command);
    const args: readonly Argument[] = command.registeredArguments;
    const own = command === program ? [] : command.options.map(optionNode);
    nodes.push({
      path,
      commands: visible.map((one) => ({ name: one.name(), description: firstLine(one.description()) })),
      options: [...own, ...shared, helpOption],
      // `help` takes the name of a command.
      choices:
        path === 'help'
          ? help.visibleCommands(program).map((one) => one.name())
          : args.flatMap((one) => one.argChoices ?? []),
      file: args.some((one) => namesFile.test(one.name())),
    });
    for (const one of visible) visit(one, `${path} ${one.name()}`.trim());
  };
  visit(program, '');
  return nodes;
}

const helpOption: OptionNode = {
  names: ['-h', '--help'],
  description: 'display help for command',
  takesValue: false,
  choices: [],
  file: false,
};
