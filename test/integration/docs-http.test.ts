/** The examples of the HTTP guide run unchanged, in a shell and in a browser, and answer what the guide says. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../support/base/browser.ts';
import { openShell } from '../support/cli/shell.ts';
import { outcomes } from './api/base/test-worker.ts';
import { World } from './api/base/world.ts';

const root = new URL('../../', import.meta.url);
const guide = readFileSync(new URL('docs/http.md', root), 'utf8');
const START = 'http://127.0.0.1:7080';

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language: language ?? '',
  text: text ?? '',
}));

let world: World;
let site: Server;
let sitePort: number;

beforeAll(async () => {
  site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Ada</title><body></body>');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  sitePort = (site.address() as AddressInfo).port;
  world = await World.start({ corsOrigins: ['https://ops.example.com', `http://127.0.0.1:${sitePort}`] });
});

afterAll(async () => {
  site?.close();
  await world?.stop();
});

/** The output of each shell block; they run in one shell, because of the variables that they share. */
async function runAll(): Promise<string[]> {
  const shell = await openShell();
  try {
    const lines = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
    const script = lines.join("\nprintf '\\n=====\\n'\n").replaceAll(START, world.replica.httpAddress);
    return (await shell.run(script)).split('\n=====\n');
  } finally {
    await shell.close();
  }
}

describe('the shell examples of the HTTP guide', () => {
  it('print what the guide says', async () => {
    const printed = await runAll();
    let at = -1;
    for (const { language, text } of blocks) {
      const last = printed[at]?.trim() ?? '';
      if (language === 'sh') at++;
      else if (language === 'json') expect(JSON.parse(last)).toMatchObject(JSON.parse(text));
      else if (language === 'text') expect(last).toBe(text.trim());
    }
    expect(printed).toHaveLength(at + 1);
    expect(at).toBeGreaterThan(6);
  });
});

describe('the browser example of the HTTP guide', () => {
  async function bundled(): Promise<string> {
    const contents =
      blocks.find(({ language }) => language === 'ts')?.text.replace(START, world.replica.httpAddress) ?? '';
    const resolveDir = fileURLToPath(new URL('sdk/typescript/src', root));
    const stdin = { contents, resolveDir, loader: 'ts' } as const;
    const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'esm', logLevel: 'silent' });
    return outputFiles[0]?.text ?? '';
  }

  it('submits a job and follows it to its end', async () => {
    await world.rpc.call(JobDefinitionService.method.applyJobDefinition, {
      definition: { name: 'greet', body: { case: 'task', value: {} } },
    });
    const worker = await world.openWorker('greet');
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${sitePort}/`);
      await page.addScriptTag({ content: await bundled(), type: 'module' });
      const [attempt] = await worker.take(1);
      if (!attempt) throw new Error('nothing was assigned');
      expect(Buffer.from(attempt.input?.data ?? []).toString()).toBe('{"name":"Ada"}');
      await worker.report({ of: attempt, outcome: outcomes.result('"hello, Ada"') });
      await page.locator('body', { hasText: 'SUCCEEDED' }).waitFor();
    } finally {
      await browser.close();
    }
  });
});

it('the HTTP guide names every code of the port with its status', async () => {
  const { paths } = JSON.parse(readFileSync(new URL('server/gen/openapi.json', root), 'utf8')) as {
    paths: Record<string, { post: { responses: Record<string, { 'x-muster-codes'?: { name: string }[] }> } }>;
  };
  for (const { post } of Object.values(paths)) {
    for (const [status, answer] of Object.entries(post.responses)) {
      for (const { name } of answer['x-muster-codes'] ?? []) {
        expect(guide).toMatch(new RegExp(`\\|[^|\n]*\`${name}\`[^|\n]*\\|[^|\n]*${status}[^|\n]*\\|`));
      }
    }
  }
});
