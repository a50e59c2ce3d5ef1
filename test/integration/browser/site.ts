/** The test's web site on a port of its own: one page, with its script bundled as in an application. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const html = `<!doctype html><meta charset="utf-8"><title>Jobs</title>
<input id="server"><input id="definition"><input id="input">
<select id="dialect"><option>json<option>binary<option>grpc-web</select>
<button id="submit">Submit</button>
<p id="job"></p><p id="states"></p><p id="state"></p><p id="result"></p><p id="error"></p>
<script src="/page.js"></script>`;

export interface Site {
  readonly port: number;
  stop(): Promise<void>;
}

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife' });
  return outputFiles[0]?.text ?? '';
}

export async function startSite(): Promise<Site> {
  const script = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
