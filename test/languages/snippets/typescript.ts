/** Code blocks in TypeScript: one module each, whose body is a function with a client, a job and a worker. */
import { join } from 'node:path';
import { indent, root, type SnippetCompiler } from '../support/snippets.ts';

export const typescriptSnippets: SnippetCompiler = {
  language: 'typescript',
  wrong: 'await client.noSuchMethod(jobId);\n',
  files(snippets, imports, folder) {
    const modules = snippets.map(({ name, code }) => [
      `${name}.ts`,
      `${imports}
export async function ${name}(client: Client, jobId: string, worker: Worker): Promise<void> {
  {
${indent(code, '    ')}  }
}
`,
    ]);
    // A block may declare something for its reader to use.
    const compilerOptions = {
      noUnusedLocals: false,
      noUnusedParameters: false,
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const settings = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [join(folder, '*.ts')] };
    return { ...Object.fromEntries(modules), 'tsconfig.json': JSON.stringify(settings) };
  },
  command: (folder) => ({
    program: process.execPath,
    args: [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder],
    cwd: root,
  }),
};
