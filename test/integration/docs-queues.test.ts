/** The shell examples of the guide to queues run unchanged, and answer what the guide says. */
import { afterAll, beforeAll, it } from 'vitest';
import { World } from './api/base/world.ts';
import { expectAnswers } from './guide-in-shell.ts';

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

it('the examples of docs/queues.md print what the guide says', () => expectAnswers(world, 'queues.md', 7));
