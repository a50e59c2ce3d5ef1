/** The metrics that a replica exports at `/metrics`. */
import { type Family, parseMetrics } from '../../../server/cli/top/metrics-text.ts';

/** By name. @throws Error when the page is not served. */
export async function readMetrics(httpAddress: string): Promise<Map<string, Family>> {
  const response = await fetch(new URL('/metrics', httpAddress));
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}: ${await response.text()}`);
  return parseMetrics(await response.text());
}
