/** A definition as an argument: `NAME`, or `NAME@VERSION`. */
import { InvalidArgumentError } from 'commander';

export interface DefinitionRef {
  readonly name: string;
  /** 0: the newest. */
  readonly version: number;
}

export function definitionRef(text: string): DefinitionRef {
  const at = text.indexOf('@');
  if (at < 0) return { name: text, version: 0 };
  const version = Number(text.slice(at + 1));
  if (!/^[1-9]\d{0,9}$/.test(text.slice(at + 1)) || version > 2_147_483_647)
    throw new InvalidArgumentError('It takes NAME or NAME@VERSION, the version a whole number from 1.');
  return { name: text.slice(0, at), version };
}
