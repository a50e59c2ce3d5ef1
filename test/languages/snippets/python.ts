/**
 * Code blocks in Python: one module each, whose body is a function with a client, a job and a worker. Checked as
 * strictly as the SDK.
 */
import { join } from 'node:path';
import { indent, root, type SnippetCompiler } from '../support/snippets.ts';

export const pythonSnippets: SnippetCompiler = {
  language: 'python',
  wrong: 'client.no_such_method(job_id)\n',
  files: (snippets, imports) =>
    Object.fromEntries(
      snippets.map(({ name, code }) => [
        `${name}.py`,
        `${imports}

def ${name}(client: Client, job_id: str, worker: Worker) -> None:
${indent(code, '    ')}`,
      ]),
    ),
  command: (folder) => ({
    program: join(root, '.tools/python-tools/bin/mypy'),
    args: ['--cache-dir', '../../.tools/mypy', '--python-executable', '../../.tools/venv/bin/python', folder],
    cwd: join(root, 'sdk/python'),
  }),
};
