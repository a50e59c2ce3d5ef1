/** Preloaded into each thread of a worker: patches the source of the SDK while it is loaded. */
import { registerHooks } from 'node:module';
import { applyPatch } from '../../simulation/mutants/plant.ts';
import { bugs } from './bugs.ts';

const root = new URL('../../../', import.meta.url).href;
const { MUSTER_PLANTED_BUG = '' } = process.env;
const bug = bugs.find(({ name }) => name === MUSTER_PLANTED_BUG);
if (!bug) throw new Error(`there is no planted bug ${JSON.stringify(MUSTER_PLANTED_BUG)}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const patches = bug.patches.filter(({ file }) => url === root + file);
    if (patches.length === 0) return loaded;
    const text =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: patches.reduce(applyPatch, text) };
  },
});
