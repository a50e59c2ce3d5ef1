/** `/metrics`: metrics for monitoring. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface MetricsText {
  /** Media type of the text. */
  readonly contentType: string;
  /** Recomputed at most once per second. */
  read(): Promise<string>;
}

/** Whether the request was for the metrics, and was answered. */
export async function serveMetrics(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  metrics: MetricsText,
): Promise<boolean> {
  const [path] = url.split('?', 1);
  if (path !== '/metrics') return false;
  if (method !== 'GET') {
    response.writeHead(405, { allow: 'GET', 'content-type': 'text/plain' }).end('only GET is served here\n');
    return true;
  }
  const text = await metrics.read();
  response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  return true;
}
