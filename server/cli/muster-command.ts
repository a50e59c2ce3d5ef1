/** A command that reports usage errors like all other errors: the problem, and where its help is. */
import { Command } from 'commander';
import type { CommandProcess } from './command-process.ts';
import { CliError } from './failures/cli-error.ts';

export class MusterCommand extends Command {
  readonly process: CommandProcess;

  constructor(process: CommandProcess, name?: string) {
    super(name);
    this.process = process;
  }

  override createCommand(name?: string): MusterCommand {
    return new MusterCommand(this.process, name);
  }

  override error(message: string): never {
    const [what = '', ...suggestion] = message.replace(/^error: /, '').split('\n');
    const details = suggestion.filter((line) => line !== '');
    throw new CliError({ message: what, details, next: `${this.path} --help shows what it takes` });
  }

  /** Its full name, such as `muster definitions list`. */
  get path(): string {
    return this.parent instanceof MusterCommand ? `${this.parent.path} ${this.name()}` : this.name();
  }
}

/** The process of a command that `createProgram` has made. */
export function processOf(command: Command): CommandProcess {
  if (command instanceof MusterCommand) return command.process;
  throw new Error(`${command.name()} is no command of muster`);
}
