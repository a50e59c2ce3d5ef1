/** The example of a guide in docs/: run letter by letter, and what the guide says it prints. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const root = new URL('../../', import.meta.url);

/** What the example of `docs/NAME.md` prints, and what the guide says. */
export async function runExample(name: string, grpcAddress: string): Promise<{ printed: string; promised: string }> {
  const guide = readFileSync(new URL(`docs/${name}.md`, root), 'utf8');
  // Beside the SDK's package, as a program of the checkout's would lie.
  const file = new URL(`.tools/${name}-example.ts`, root);
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, blockOf(guide, 'ts').replaceAll('127.0.0.1:7070', grpcAddress));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file.pathname], { timeout: 60_000 });
    return { printed: stdout, promised: blockOf(guide, 'text') };
  } finally {
    await rm(file);
  }
}

function blockOf(guide: string, language: string): string {
  const text = guide.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``))?.[1];
  if (!text) throw new Error(`the guide has no ${language} block`);
  return text;
}
