/** Completion for fish, with descriptions. */
import type { CommandNode, OptionNode } from './command-tree.ts';

/** fish has two escapes inside single quotes. */
const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function walkCases(tree: readonly CommandNode[]): string[] {
  return tree.flatMap(({ path, commands, options }) => [
    ...commands.map(
      ({ name }) =>
        `            case ${quote(`${path}:${name}`)}\n                set at ${quote(`${path} ${name}`.trim())}`,
    ),
    ...options
      .filter(({ takesValue }) => takesValue)
      .map(
        ({ names }) =>
          `            case ${names.map((name) => quote(`${path}:${name}`)).join(' ')}\n                set skip 1`,
      ),
  ]);
}

function optionLine(path: string, { names, description, takesValue, choices, file }: OptionNode): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = takesValue
    ? [file ? '-r -F' : '-x', ...(choices.length > 0 ? [`-a ${quote(choices.join(' '))}`] : [])]
    : [];
  return [
    'complete -c muster',
    `-n ${quote(`__muster_is "${path}"`)}`,
    ...flags,
    ...value,
    `-d ${quote(description)}`,
  ].join(' ');
}

function linesOf({ path, commands, options, choices, file }: CommandNode): string[] {
  const here = `complete -c muster -n ${quote(`__muster_is "${path}"`)}`;
  return [
    ...commands.map(({ name, description }) => `${here} -a ${quote(name)} -d ${quote(description)}`),
    ...(choices.length > 0 ? [`${here} -a ${quote(choices.join(' '))}`] : []),
    ...(file ? [`${here} -F`] : []),
    ...options.map((option) => optionLine(path, option)),
  ];
}

export function fishCompletion(tree: readonly CommandNode[]): string {
  return `# Completion of muster for fish. Once: muster completion fish > ~/.config/fish/completions/muster.fish

function __muster_is
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at:$word"
${walkCases(tree).join('\n')}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c muster -f
${tree.flatMap(linesOf).join('\n')}
`;
}
