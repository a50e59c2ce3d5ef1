/** The parts that bash and zsh have in common: how the words before the cursor lead to a command. */
import type { CommandNode } from './command-tree.ts';

/** For single quotes. */
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

/** Branches of a `case "$at:$option"`: what the value of an option may be. */
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
