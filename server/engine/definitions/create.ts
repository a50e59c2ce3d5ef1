/** Makes the parts of definitions. */
import type { EnginePorts } from '../base/engine-ports.ts';
import { StepDefinitions } from '../workflows/steps/definitions.ts';
import { DefinitionChanges } from './definition-changes.ts';
import { Definitions } from './definitions.ts';
import { RolloutRounds } from './rollout-rounds.ts';
import { Rollouts } from './rollouts.ts';

type Ports = Pick<EnginePorts, 'store' | 'schemas' | 'clock' | 'dbClock' | 'timers' | 'random' | 'log'>;

/** What the API sees of them. */
export interface DefinitionsApi {
  readonly definitions: Definitions;
  readonly definitionChanges: DefinitionChanges;
  readonly rollouts: Rollouts;
}

export function createDefinitions(ports: Ports) {
  const { store, schemas, clock, dbClock, timers, random } = ports;
  const definitions = new Definitions(store, clock, () => random.next());
  const steps = new StepDefinitions(definitions, timers);
  return {
    definitions,
    definitionChanges: new DefinitionChanges({ store, schemas, dbClock, definitions, steps }),
    rollouts: new Rollouts({ store, clock: dbClock, timers, random }),
    rolloutRounds: new RolloutRounds({ ...ports, clock: dbClock, definitions }),
  };
}
