/** The scenario that is simulated, and the changed one to compare with. */
import type { Scenario } from '../../tools/simulate/scenario.ts';
import type { CommandProcess } from '../command-process.ts';
import type { Override } from './overrides.ts';
import { readScenario } from './scenario-file.ts';

export interface Variant {
  readonly title: string;
  /** Its origin, for messages: a file, and the options that change it. */
  readonly source: string;
  readonly scenario: Scenario;
}

/** The first one is the original scenario. */
export type Variants = readonly [Variant, ...Variant[]];

export interface ChangeOptions {
  readonly set?: readonly Override[];
  readonly changed?: string;
}

/** @throws CliError that names each invalid field and its origin. */
export async function readVariants(
  process: CommandProcess,
  file: string,
  { set = [], changed }: ChangeOptions,
): Promise<Variants> {
  const isCompared = set.length > 0 || changed !== undefined;
  const base = { source: file, scenario: await readScenario(process, file, []) };
  if (!isCompared) return [{ ...base, title: 'simulated' }];
  const other = changed ?? file;
  const source = [other, ...set.map(({ text }) => `--set ${text}`)].join(' ');
  const scenario = await readScenario(process, other, set, source);
  return [
    { ...base, title: 'as it was' },
    { title: 'as changed', source, scenario },
  ];
}
