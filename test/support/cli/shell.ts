/** Runs shell lines as a reader would paste them, with curl or a substitute for it. */
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** Supports the options of curl in our documents, and refuses others. */
const STAND_IN = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const { request } = require('node:http');
const headers = {}, args = process.argv.slice(2);
let url, body, method, include = false;
while (args.length > 0) {
  const one = args.shift();
  if (one === '-s' || one === '-sN') continue;
  else if (one === '-i' || one === '-si') include = true;
  else if (one === '-X') method = args.shift();
  else if (one === '-H') { const [name, ...rest] = args.shift().split(':'); headers[name] = rest.join(':').trim(); }
  else if (one === '-d') body = args.shift();
  else if (one === '--data-binary' && args.shift() === '@-') body = readFileSync(0);
  else if (one.startsWith('-')) throw new Error('the stand-in for curl knows no ' + one);
  else url = one;
}
const call = request(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers }, (answer) => {
  if (include) {
    console.log('HTTP/1.1 ' + answer.statusCode + '\\r');
    for (const [name, value] of Object.entries(answer.headers)) console.log(name + ': ' + value + '\\r');
    console.log('\\r');
  }
  answer.pipe(process.stdout);
});
call.end(body);
`;

export interface Shell {
  /** The output of the lines as Latin-1, so that each byte is a character. @throws Error when they fail */
  run(lines: string): Promise<string>;
  close(): Promise<void>;
}

export async function openShell(): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-shell-'));
  if (!hasCurl) {
    await writeFile(join(folder, 'curl'), STAND_IN);
    await chmod(join(folder, 'curl'), 0o755);
  }
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  return {
    async run(lines) {
      const options = { env, cwd: folder, timeout: 60_000, encoding: 'latin1', maxBuffer: 16 << 20 } as const;
      return (await promisify(execFile)('sh', ['-c', lines], options)).stdout;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
