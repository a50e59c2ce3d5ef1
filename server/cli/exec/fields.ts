/** Reads a user-written object field by field, and collects all problems with their paths. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #faults: string[];
  readonly #known = new Set<string>();

  constructor(value: unknown, path: string, faults: string[]) {
    this.#path = path;
    this.#faults = faults;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#values = isObject ? (value as Record<string, unknown>) : {};
    if (!isObject) this.fault('', 'takes fields and their values');
  }

  /** `name`: empty for the object itself. */
  fault(name: string, what: string): undefined {
    const path = [this.#path, name].filter(Boolean).join('.');
    this.#faults.push(path === '' ? what : `${path}: ${what}`);
    return undefined;
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    return this.fault(name, 'takes text');
  }

  flag(name: string): boolean | undefined {
    const value = this.#take(name);
    return value === undefined || typeof value === 'boolean' ? value : this.fault(name, 'takes true or false');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    return choices.find((choice) => choice === value) ?? this.fault(name, `takes one of ${choices.join(', ')}`);
  }

  /** A number, or a text that `parse` converts, within the bounds. */
  quantity(
    name: string,
    parse: (text: string) => number | undefined,
    [least, most]: readonly [number, number],
    takes: string,
  ): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const number = parse(String(value));
    const isFit = number !== undefined && Number.isSafeInteger(number) && number >= least && number <= most;
    return isFit ? number : this.fault(name, `takes ${takes}`);
  }

  texts(name: string): string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number'))
      return value.map(String);
    return this.fault(name, 'takes a list of texts');
  }

  textMap(name: string): Record<string, string> | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const fields = new Fields(value, [this.#path, name].filter(Boolean).join('.'), this.#faults);
    const texts = Object.entries(fields.#values).map(([key, one]) => {
      if (typeof one !== 'string' && typeof one !== 'number') fields.fault(key, 'takes text');
      return [key, String(one)] as const;
    });
    return Object.fromEntries(texts);
  }

  /** The named objects within an object. */
  *entries(name: string): Generator<[string, Fields]> {
    const value = this.#take(name);
    if (value === undefined) return;
    const path = [this.#path, name].filter(Boolean).join('.');
    const fields = new Fields(value, path, this.#faults);
    for (const [key, one] of Object.entries(fields.#values))
      yield [key, new Fields(one, `${path}.${key}`, this.#faults)];
  }

  /** Must be called last: any field that was not read before is refused. */
  refuseOthers(): void {
    for (const name of Object.keys(this.#values))
      if (!this.#known.has(name)) this.fault(name, `is no field; there are ${[...this.#known].join(', ')}`);
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#values[name];
  }
}
