/**
 * A page in a real browser submits a job and sees its result; pages of other origins get nothing and change nothing.
 */

import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/base/browser.ts';
import { outcomes } from '../api/base/test-worker.ts';
import { World } from '../api/base/world.ts';
import { type Site, startSite } from './site.ts';

let site: Site;
let world: World;
let browser: Browser;

beforeAll(async () => {
  site = await startSite();
  world = await World.start({ corsOrigins: [`http://localhost:${site.port}`] });
  browser = await startBrowser({ hostRules: 'MAP rebound.example 127.0.0.1' });
});

afterAll(async () => {
  await browser?.close();
  await world?.stop();
  await site?.stop();
});

interface Form {
  readonly definition: string;
  readonly input?: string;
  readonly dialect?: string;
  /** The address that the page calls. Default: the replica's. */
  readonly server?: string;
}

/** Opens the page under this host name, fills in the form, and presses the button. */
async function submitOn(host: string, form: Form): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://${host}:${site.port}/`);
  const { definition, input = '', dialect = 'json', server = world.replica.httpAddress } = form;
  for (const [id, value] of Object.entries({ definition, input, server })) await page.fill(`#${id}`, value);
  await page.selectOption('#dialect', dialect);
  await page.click('#submit');
  return page;
}

function textOf(page: Page, id: string): Promise<string> {
  return page.locator(`#${id}:not(:empty)`).innerHTML();
}

describe('a page of an allowed origin', () => {
  it.each(['json', 'binary', 'grpc-web'])('submits a job and shows its result, in %s', async (dialect) => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const page = await submitOn('localhost', { definition, input: 'Zoë 水', dialect });
    const jobId = await textOf(page, 'job');
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    expect(Buffer.from(attempt.input?.data ?? []).toString()).toBe('Zoë 水');
    await worker.report({ of: attempt, outcome: outcomes.result('für Zoë') });
    expect(await textOf(page, 'result')).toBe('für Zoë');
    expect(await textOf(page, 'state')).toBe('succeeded');
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
    await page.close();
  });

  it.each(['json', 'grpc-web'])('gets the reason of a refusal, in %s', async (dialect) => {
    const page = await submitOn('localhost', { definition: 'missing', dialect });
    expect(await textOf(page, 'error')).toBe('NotFound DEFINITION_NOT_FOUND');
    await page.close();
  });
});

describe('a page of another origin', () => {
  /** Ids of the jobs of a definition. */
  async function jobsOf(definition: string): Promise<string[]> {
    const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { definition } });
    return jobs.map(({ jobId }) => jobId);
  }

  it('gets no answer, and no request of its own is carried out', async () => {
    const definition = await world.define();
    // The same site under another name, which is another origin.
    const page = await submitOn('127.0.0.1', { definition });
    expect(await textOf(page, 'error')).toBe('Unknown (no reason)'); // the browser gives no details
    expect(await jobsOf(definition)).toEqual([]);
    await page.close();
  });

  it('can not bypass the preflight with a request that needs none', async () => {
    const definition = await world.define();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${site.port}/`);
    const url = `${world.replica.httpAddress}/muster.v1.JobService/SubmitJob`;
    const body = JSON.stringify({ job: { definition } });
    const type = await page.evaluate(
      async ([to, text]) => (await fetch(to as string, { method: 'POST', mode: 'no-cors', body: text as string })).type,
      [url, body],
    );
    expect(type).toBe('opaque'); // it was sent and answered, so the server must refuse it
    expect(await jobsOf(definition)).toEqual([]);
    await page.close();
  });

  it('gets nothing even if its name points to this server, which makes it the same origin', async () => {
    const page = await browser.newPage();
    const { port } = new URL(world.replica.httpAddress);
    await page.goto(`http://rebound.example:${port}/healthz`);
    const [status, text] = await page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch('/muster.v1.WorkerService/ListWorkers', { method: 'POST', headers, body: '{}' });
      return [answer.status, await answer.text()] as const;
    });
    expect(status).toBe(403);
    expect(text).toContain('HOST_NOT_ALLOWED');
    await page.close();
  });
});

describe('the API reference', () => {
  it('is shown with its style, violates no browser policy, and has no broken links', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${world.replica.httpAddress}/`);
    expect(page.url()).toBe(`${world.replica.httpAddress}/reference`);
    expect(await page.evaluate("getComputedStyle(document.querySelector('pre')).whiteSpace")).toBe('pre-wrap');
    await page.click('nav >> text=WatchJob');
    const title = page.locator('#JobService_WatchJob');
    expect(await title.textContent()).toBe('WatchJob');
    expect((await title.boundingBox())?.y).toBeLessThan(100);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
