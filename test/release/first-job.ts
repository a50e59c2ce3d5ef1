/** The section "A first job" of a README, as its reader follows it: commands are run, files are written, in order. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../', import.meta.url).pathname;
const LONGEST_MS = 900_000;

export interface FirstJob {
  /** A shell script. */
  readonly script: string;
  /** Last lines that it prints. */
  readonly prints: string;
}

/** Another terminal has it. */
const SERVER = 'npx muster-jobs start';

/** @param address takes the place of 127.0.0.1:7070. */
export function firstJobOf(readme: string, address: string): FirstJob {
  const text = readFileSync(join(root, readme), 'utf8');
  const section = /^## A first job\n([\s\S]*?)(?=^## )/m.exec(text)?.[1];
  if (section === undefined) throw new Error(`${readme} has no section "A first job"`);
  const parts: string[] = ['set -e'];
  let prints = '';
  let end = 0;
  for (const block of section.matchAll(/^```(\w+).*\n([\s\S]*?)^```$/gm)) {
    const [all, language, code = ''] = block;
    const before = section.slice(end, block.index);
    end = block.index + all.length;
    if (language === 'sh') {
      if (code.trim() !== SERVER) parts.push(code);
    } else if (language === 'text') {
      prints = code;
      break;
    } else parts.push(fileOf(`${before}\n${code.split('\n')[0]}`, code, readme));
  }
  const run = /run it with `(.+?)`/.exec(section)?.[1];
  if (run !== undefined) parts.push(run);
  return { script: parts.join('\n').replaceAll('127.0.0.1:7070', address), prints };
}

/** Its name is the last one that the text before it, or its first line, gives. */
function fileOf(text: string, code: string, readme: string): string {
  const names = [...text.matchAll(/(?:`|^\/\/ )([\w./-]+\.(?:\w{2,4}))(?:`|:|$)/gm)].map(([, name]) => name);
  const name = names.at(-1);
  if (name === undefined) throw new Error(`${readme} names no file for\n${code}`);
  return `mkdir -p "$(dirname ${name})"\ncat > ${name} <<'END_OF_FILE'\n${code}END_OF_FILE`;
}

/** Runs it in a folder; returns what it printed. */
export async function follow({ script }: FirstJob, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS });
  let [out, all] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
    all += chunk;
  });
  child.stderr.on('data', (chunk) => {
    all += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`exit code ${code}\n${script}\n${all.slice(-8_000)}`);
  return out;
}
