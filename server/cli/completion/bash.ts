/** Completion for bash, including the old version of macOS. */
import type { CommandNode } from './command-tree.ts';
import { quote, valueCases, walkCases } from './shell-cases.ts';

const words = (list: readonly string[]) => `COMPREPLY=($(compgen -W ${quote(list.join(' '))} -- "$current"))`;
const FILES = '_muster_files';

function restCases(tree: readonly CommandNode[]): string[] {
  return tree.map(({ path, commands, choices, file }) => {
    const names = [...commands.map(({ name }) => name), ...choices];
    const steps = [...(names.length > 0 ? [words(names)] : []), ...(file ? [FILES] : [])];
    return `    ${quote(path)}) ${steps.join('; ') || ':'} ;;`;
  });
}

function optionCases(tree: readonly CommandNode[]): string[] {
  return tree.map(({ path, options }) => `    ${quote(path)}) ${words(options.flatMap(({ names }) => names))} ;;`);
}

export function bashCompletion(tree: readonly CommandNode[]): string {
  return `# Completion of muster for bash. In ~/.bashrc: source <(muster completion bash)

_muster_files() {
  compopt -o filenames 2>/dev/null || true
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$current"))
}

_muster() {
  local current=\${COMP_WORDS[COMP_CWORD]} at='' option='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == '=' ]] && continue
    if [[ -n $option ]]; then option=''; continue; fi
    case "$at:$word" in
${walkCases(tree).join('\n')}
    esac
  done
  [[ $current == '=' ]] && current=''
  if [[ -n $option ]]; then
    case "$at:$option" in
${valueCases(tree, words, FILES).join('\n')}
    esac
    return
  fi
  if [[ $current == -* ]]; then
    case "$at" in
${optionCases(tree).join('\n')}
    esac
    return
  fi
  case "$at" in
${restCases(tree).join('\n')}
  esac
}

complete -F _muster muster
`;
}
