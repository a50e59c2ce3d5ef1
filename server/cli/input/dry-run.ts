/**
 * The limits of a dry run: the server checks a workflow against its current definitions, and those of the same files
 * may be new to it, or change.
 */
import { type ApplyJobDefinitionResponse, type JobDefinition, MusterError } from '@muster-jobs/sdk/grpc';
import { madeFrom } from './apply-order.ts';

export class DryRun {
  /**
   * Definitions of the files that may still change the check of a workflow: all except those for which the server
   * reported no relevant change.
   */
  readonly #open: Set<string>;
  readonly #names: ReadonlySet<string>;

  constructor(definitions: readonly JobDefinition[]) {
    this.#names = new Set(definitions.map(({ name }) => name));
    this.#open = new Set(this.#names);
  }

  /** Names the definitions without which this one can't be checked completely; undefined: it was checked. */
  passed(definition: JobDefinition, response: ApplyJobDefinitionResponse): string | undefined {
    const open = this.#openBehind(definition);
    if (open.length === 0 && !mayMatter(response)) this.#open.delete(definition.name);
    return open.length > 0 ? uncheckedText(definition, open) : undefined;
  }

  /** The same for a refused definition; undefined: the refusal is final, whatever else is in the files. */
  excuse(definition: JobDefinition, error: unknown): string | undefined {
    if (!(error instanceof MusterError)) return undefined;
    const named = (error.metadata.definitions ?? '').split(', ').map((text) => text.replace(/@\d+$/, ''));
    const areOfFiles = named.every((name) => this.#names.has(name));
    switch (error.reason) {
      case 'DEFINITION_NOT_FOUND':
      case 'DEFINITION_ARCHIVED':
        return areOfFiles ? uncheckedText(definition, named) : undefined;
      case 'WORKFLOW_NESTING':
        return this.#refusedText(definition, error, (error.metadata.chain ?? '').split(' > '));
      case 'INVALID_FIELD':
        return error.metadata.checked_against === 'definitions' ? this.#refusedText(definition, error, []) : undefined;
      default:
        return undefined;
    }
  }

  #refusedText(definition: JobDefinition, error: MusterError, chain: readonly string[]): string | undefined {
    const inChain = chain.filter((name) => name !== definition.name && this.#open.has(name));
    const open = [...new Set([...this.#openBehind(definition), ...inChain])];
    const now = error.fieldViolations.map(({ field, description }) => `\n  ${field}: ${description}`).join('');
    return open.length > 0 ? `${uncheckedText(definition, open)}; as it is now it would be refused:${now}` : undefined;
  }

  /** Definitions that its steps use in their newest version. */
  #openBehind(definition: JobDefinition): string[] {
    const newest = madeFrom(definition).filter(({ definitionVersion }) => definitionVersion === 0);
    return [...new Set(newest.map(({ definition: name }) => name))].filter((name) => this.#open.has(name));
  }
}

/** Whether the change may matter to workflows that use the definition. */
function mayMatter({ created, differences }: ApplyJobDefinitionResponse): boolean {
  return (
    created && (differences.length === 0 || differences.some(({ path }) => /^(input_|output_|workflow)/.test(path)))
  );
}

function uncheckedText({ name }: JobDefinition, names: readonly string[]): string {
  return `${name} is checked in full once ${names.join(', ')} of the files ${names.length === 1 ? 'is' : 'are'} there`;
}
