/** Parts that bash and zsh share: finding the command from the words before the cursor. */
import type { CommandNode } from './command-tree.ts';

/** Quotes text in single quotes. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Branches of a `case "$at:$word"` that follow commands and mark options whose value comes next. */
export function walkCases(tree: readonly CommandNode[]): string[] {
  return tree.flatMap(({ path, commands, options }) => [
    ...commands.map(({ name }) => `      ${quote(`${path}:${name}`)}) at=${quote(`${path} ${name}`.trim())} ;;`),
    ...options
      .filter(({ takesValue }) => takesValue)
      .map(({ names }) => `      ${names.map((name) => quote(`${path}:${name}`)).join('|')}) option=$word ;;`),
  ]);
}

/** Branches of a `case "$at:$option"`: the possible values of an option. */
export function valueCases(
  tree: readonly CommandNode[],
  choices: (words: readonly string[]) => string,
  files: string,
): string[] {
  return tree.flatMap(({ path, options }) =>
    options
      .filter((option) => option.takesValue && (option.choices.length > 0 || option.file))
      .map((option) => {
        const patterns = option.names.map((name) => quote(`${path}:${name}`)).join('|');
        return `      ${patterns}) ${option.file ? files : choices(option.choices)} ;;`;
      }),
  );
}
