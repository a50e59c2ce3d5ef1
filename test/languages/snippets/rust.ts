/** Code blocks in Rust: one module each, in a package with the SDK's dependencies that shares their build. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { indent, root, type SnippetCompiler } from '../support/snippets.ts';

const sdk = join(root, 'sdk/rust');
/** Functions that a block calls and that a reader would write. */
const standIns = `async fn read(_day: u32) -> std::io::Result<()> { Ok(()) }
async fn send(_file: &str) -> std::io::Result<()> { Ok(()) }
async fn put_row(_row: &str, _token: i32) -> std::io::Result<()> { Ok(()) }
`;

/**
 * The dependencies and profiles of the SDK's workspace, so that Cargo checks no dependency again: each has the features
 * that clippy has checked.
 */
function manifest(): string {
  const [tables, demo] = ['sdk/rust', 'workers/demo-polyglot/rust'].map((folder) =>
    readFileSync(join(root, folder, 'Cargo.toml'), 'utf8').split(/^(?=\[)/m),
  );
  const table = (name: string, of = tables) => of?.find((text) => text.startsWith(`[${name}]\n`))?.trim();
  const ofDemo = table('dependencies', demo)?.replace(/^(\[dependencies\]|muster-jobs = .*)\n/gm, '');
  return `[package]
name = "muster-snippets"
version = "0.1.0"
edition = "2024"

[workspace]

${table('dependencies')}
muster-jobs = { path = ${JSON.stringify(sdk)} }

${table('dev-dependencies')}

# A third table, because a name can be in each only once.
[target.'cfg(all())'.dependencies]
${ofDemo}

${table('profile.dev')}

${table('profile.dev.package."*"')}
`;
}

export const rustSnippets: SnippetCompiler = {
  language: 'rust',
  wrong: 'client.no_such_method(&job_id).await?;\n',
  files(snippets, imports) {
    const modules = snippets.map(({ name, code }) => [
      `examples/snippets/${name}.rs`,
      `use super::*;

pub async fn section(client: Client, job_id: String, worker: WorkerBuilder) -> Result<(), Box<dyn std::error::Error>> {
${indent(code, '    ')}    Ok(())
}
`,
    ]);
    const main = `#![allow(unused)]\n\n${imports}\n${standIns}\n${snippets.map(({ name }) => `mod ${name};\n`).join('')}\nfn main() {}\n`;
    return {
      'Cargo.toml': manifest(),
      'Cargo.lock': readFileSync(join(sdk, 'Cargo.lock'), 'utf8'),
      'src/lib.rs': '',
      'examples/snippets/main.rs': main,
      ...Object.fromEntries(modules),
    };
  },
  command: (folder) => ({
    program: 'cargo',
    args: ['check', '--quiet', '--examples', '--target-dir', join(sdk, 'target')],
    cwd: folder,
  }),
};
