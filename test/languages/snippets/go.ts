/**
 * Code blocks in Go: one file for all, so that the compiler finds unused imports, in a module that takes the SDK from
 * the checkout.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { indent, root, type SnippetCompiler } from '../support/snippets.ts';

const sdk = join(root, 'sdk/go');
const scope = 'ctx context.Context, client *muster.Client, jobID string, worker *muster.Worker';

/** The requirements of the SDK's module, so that nothing must be resolved, and the SDK. */
function module(): string {
  const requires = readFileSync(join(sdk, 'go.mod'), 'utf8').replace(/^module .*/, 'module snippets');
  return `${requires}\nrequire github.com/muster-jobs/muster/sdk/go v0.0.0\n\nreplace github.com/muster-jobs/muster/sdk/go => ${sdk}\n`;
}

function wrapped(name: string, code: string): string {
  const end = /\nreturn .*\n$/.test(code) ? '' : '\treturn nil\n';
  return `func section_${name}(${scope}) error {\n${indent(code, '\t')}${end}}\n`;
}

export const goSnippets: SnippetCompiler = {
  language: 'go',
  wrong: 'client.NoSuchMethod(ctx, jobID)\n',
  files(snippets, imports) {
    const functions = snippets.map(({ name, code }) => {
      // A block is either statements or functions.
      const declares = /^func /.test(code);
      // The compiler reports positions by this line.
      return `//line ${name}.go:1\n${declares ? code : wrapped(name, code)}`;
    });
    return {
      'go.mod': module(),
      'go.sum': readFileSync(join(sdk, 'go.sum'), 'utf8'),
      'snippets.go': `package main\n\n${imports}\nfunc main() {}\n\n${functions.join('\n')}`,
    };
  },
  command: (folder) => ({ program: 'go', args: ['vet', '.'], cwd: folder }),
};
