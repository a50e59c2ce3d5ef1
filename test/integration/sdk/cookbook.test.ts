/** Each recipe of docs/cookbook.md, unchanged: applied, run by its handlers, and compared with its text. */
import { readFileSync } from 'node:fs';
import { Client, JobFailedError, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliServer, startCliServer } from '../../support/cli/cli-server.ts';

type Handler = (ctx: unknown, input: unknown) => unknown;

interface Run {
  readonly submit: string;
  readonly input: unknown;
  readonly state: 'SUCCEEDED' | 'FAILED';
  readonly result?: unknown;
  readonly failure?: string;
  /** Handlers that must have run, among others, in any order. */
  readonly ran?: readonly string[];
}

const book = readFileSync(new URL('../../../docs/cookbook.md', import.meta.url), 'utf8');
const recipes = book.split(/^## /m).slice(1);

function block(recipe: string, language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(recipe) ?? [];
  if (text === undefined) throw new Error(`the recipe has no ${language}: ${recipe.slice(0, 60)}`);
  return text;
}

let server: CliServer;

beforeAll(async () => {
  server = await startCliServer();
});

afterAll(() => server?.stop());

it('the cookbook has thirteen recipes', () => {
  expect(recipes).toHaveLength(13);
});

it.each(recipes.map((recipe) => [recipe.split('\n')[0] as string, recipe] as const))(
  'the recipe “%s” works as written',
  async (title, recipe) => {
    const namespace = title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const applied = await server.run(['apply', '-f', '-', '-n', namespace], { stdin: block(recipe, 'yaml') });
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    const source = `data:text/javascript,${encodeURIComponent(block(recipe, 'js'))}`;
    const { handlers } = (await import(/* @vite-ignore */ source)) as { handlers: Record<string, Handler> };
    const run: Run = JSON.parse(block(recipe, 'json'));
    const ran: string[] = [];
    const noted = Object.fromEntries(
      Object.entries(handlers).map(([name, handler]): [string, Handler] => [
        name,
        (ctx, input) => {
          ran.push(name);
          return handler(ctx, input);
        },
      ]),
    );
    const worker = new Worker({ address: server.address, namespace, name: 'cook', slots: 10, handlers: noted });
    const running = worker.run();
    const client = new Client({ address: server.address, namespace });
    try {
      const ended = await client.result(await client.submit(run.submit, run.input)).then(
        (result) => ({ state: 'SUCCEEDED', result }),
        (error: unknown) => {
          if (!(error instanceof JobFailedError)) throw error;
          const { outcome, state } = error.job;
          const failed = state === JobState.FAILED ? 'FAILED' : state;
          return { state: failed, failure: outcome.case === 'failure' ? outcome.value.message : undefined };
        },
      );
      const { submit: _, input: __, ran: expected = [], ...end } = run;
      expect(ended).toEqual(end);
      for (const name of new Set(expected))
        expect([name, ran.filter((one) => one === name).length]).toEqual([
          name,
          expected.filter((one) => one === name).length,
        ]);
    } finally {
      client.close();
      await worker.stop();
      await running;
    }
  },
);
