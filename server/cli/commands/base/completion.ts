/** `muster completion`: a shell script that completes commands and options, generated from the commands. */
import { Argument, type Command } from 'commander';
import { bashCompletion } from '../../completion/bash.ts';
import { type CommandNode, commandTree } from '../../completion/command-tree.ts';
import { fishCompletion } from '../../completion/fish.ts';
import { zshCompletion } from '../../completion/zsh.ts';
import { local } from '../../local-command.ts';
import { processOf } from '../../muster-command.ts';

const scripts: Readonly<Record<string, (tree: readonly CommandNode[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .helpGroup('This program:')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .description('Print a completion script for a shell')
    .addHelpText(
      'after',
      `
Examples:
  source <(muster completion bash)                                       in ~/.bashrc
  source <(muster completion zsh)                                        in ~/.zshrc, after compinit
  muster completion fish > ~/.config/fish/completions/muster.fish        once`,
    )
    .action((shell: string, _options, self: Command) => {
      processOf(self).stdout.write(scripts[shell]?.(commandTree(program)) ?? '');
    });
  local(command);
}
