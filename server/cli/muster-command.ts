/** A command whose usage errors are told like all others: what is wrong, and where its help is. */
import { Command } from 'commander';
import { CliError } from './cli-error.ts';

export class MusterCommand extends Command {
  override createCommand(name?: string): MusterCommand {
    return new MusterCommand(name);
  }

  override error(message: string): never {
    const [what = '', ...suggestion] = message.replace(/^error: /, '').split('\n');
    const details = suggestion.filter((line) => line !== '');
    throw new CliError({ message: what, details, next: `${this.path} --help shows what it takes` });
  }

  /** All its names, such as `muster definitions list`. */
  get path(): string {
    return this.parent instanceof MusterCommand ? `${this.parent.path} ${this.name()}` : this.name();
  }
}
