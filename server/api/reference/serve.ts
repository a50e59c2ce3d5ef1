/** Serves the API reference: `/openapi.json` for programs, `/reference` for readers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { document } from './document.ts';
import { pageHeaders, referencePage } from './page.ts';

const json = `${JSON.stringify(document)}\n`;

/** Whether the request was for the reference, and was answered. The caller has checked the Host header. */
export function serveReference({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const [path] = url.split('?', 1);
  const common = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };
  switch (path) {
    case '/':
      response.writeHead(302, { ...common, location: '/reference' }).end();
      return true;
    case '/openapi.json':
      response.writeHead(200, { ...common, 'content-type': 'application/json' }).end(json);
      return true;
    case '/reference':
      response.writeHead(200, { ...common, ...pageHeaders }).end(referencePage(document, `http://${headers.host}`));
      return true;
    default:
      return false;
  }
}
