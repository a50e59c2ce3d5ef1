/** `--set queues.mails.maxConcurrency=5`: changes of a scenario by name. */
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';
import { nearName } from '../../domain/base/near-name.ts';
import { CliError } from '../failures/cli-error.ts';

export interface Override {
  /** The original text, for messages. */
  readonly text: string;
  readonly list: List;
  /** The name of an entry and of its field, such as `mails.maxConcurrency`. */
  readonly rest: string;
  readonly value: unknown;
}

const lists = ['definitions', 'queues', 'workers'] as const;
export type List = (typeof lists)[number];

type Entry = Record<string, unknown>;

const FORM =
  'It takes LIST.NAME.FIELD=VALUE such as queues.mails.maxConcurrency=5; lists are definitions, queues, workers.';

export function override(text: string, before: readonly Override[] = []): Override[] {
  const [, list, rest, value] = /^(\w+)\.([^=]+\.[^=.]+)=(.*)$/s.exec(text) ?? [];
  const known = lists.find((one) => one === list);
  if (known === undefined || rest === undefined || value === undefined) throw new InvalidArgumentError(FORM);
  try {
    return [...before, { text, list: known, rest, value: parse(value) }];
  } catch {
    throw new InvalidArgumentError(`The value of ${text} is no YAML.`);
  }
}

/** Applies changes to the document of a scenario. A queue that is not in it is created with only its name. */
export function withOverrides(document: Entry, overrides: readonly Override[]): Entry {
  const changed = structuredClone(document);
  for (const one of overrides) {
    const entries = changed[one.list] ?? [];
    if (!Array.isArray(entries)) continue; // reported when the document is read
    changed[one.list] = entries;
    const entry = entryOf(entries, one);
    setField(entry, one.rest.slice(String(entry.name).length + 1).split('.'), one);
  }
  return changed;
}

function entryOf(entries: Entry[], { text, list, rest }: Override): Entry {
  const named = entries.filter((entry) => typeof entry?.name === 'string' && rest.startsWith(`${entry.name}.`));
  const [longest] = named.sort((a, b) => String(b.name).length - String(a.name).length);
  if (longest) return longest;
  const name = rest.slice(0, rest.indexOf('.'));
  if (list !== 'queues') {
    const near = nearName(
      name,
      entries.map((entry) => String(entry?.name)),
    );
    throw new CliError({
      message: `--set ${text}: there is no ${name} among the ${list}${near === undefined ? '' : `; did you mean ${near}?`}`,
      next: 'name one that the scenario has',
    });
  }
  const made = { name };
  entries.push(made);
  return made;
}

function setField(entry: Entry, path: readonly string[], { text, value }: Override): void {
  let at = entry;
  for (const part of path.slice(0, -1)) {
    const inner = (Object.hasOwn(at, part) ? at[part] : undefined) ?? {};
    if (typeof inner !== 'object' || Array.isArray(inner))
      throw new CliError({ message: `--set ${text}: ${part} has no fields`, next: 'name a field of the contract' });
    Object.defineProperty(at, part, { value: inner, enumerable: true, configurable: true, writable: true });
    at = inner as Entry;
  }
  const last = path.at(-1) ?? '';
  Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
}
