/** Completion for zsh, with descriptions. */
import type { CommandNode } from './command-tree.ts';
import { quote, valueCases, walkCases } from './shell-cases.ts';

interface Described {
  readonly name: string;
  readonly description: string;
}

/** For _describe, a colon ends the name. */
const described = (items: readonly Described[]) =>
  items.map(({ name, description }) => quote(`${name.replaceAll(':', '\\:')}:${description}`)).join(' ');
const choices = (words: readonly string[]) => `compadd -- ${words.map(quote).join(' ')}`;
const FILES = '_files';

function optionCases(tree: readonly CommandNode[]): string[] {
  return tree.map(({ path, options }) => {
    const items = options.flatMap(({ names, description }) => names.map((name) => ({ name, description })));
    return `    ${quote(path)}) found=(${described(items)}); _describe -o option found ;;`;
  });
}

function restCases(tree: readonly CommandNode[]): string[] {
  return tree.map((node) => {
    const steps = [
      ...(node.commands.length > 0 ? [`found=(${described(node.commands)}); _describe command found`] : []),
      ...(node.choices.length > 0 ? [choices(node.choices)] : []),
      ...(node.file ? [FILES] : []),
    ];
    return `    ${quote(node.path)}) ${steps.join('; ') || ':'} ;;`;
  });
}

export function zshCompletion(tree: readonly CommandNode[]): string {
  return `#compdef muster
# Completion of muster for zsh. In ~/.zshrc, after compinit: source <(muster completion zsh)

_muster() {
  local at='' option='' word i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $option ]]; then option=''; continue; fi
    case "$at:$word" in
${walkCases(tree).join('\n')}
    esac
  done
  if [[ -n $option ]]; then
    case "$at:$option" in
${valueCases(tree, choices, FILES).join('\n')}
    esac
    return
  fi
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$at" in
${optionCases(tree).join('\n')}
    esac
    return
  fi
  case "$at" in
${restCases(tree).join('\n')}
  esac
}

compdef _muster muster
`;
}
