/** readTexts reads a list of texts out of a JSON column; anything else there is a damaged row, and throws. */
export function readTexts(json: string): string[] {
  const value: unknown = JSON.parse(json);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new Error('a column that should hold a list of texts holds something else');
}

/** readNumbers reads an object of numbers with exactly these names out of a JSON column; a missing one throws. */
export function readNumbers<Name extends string>(json: string, names: readonly Name[]): Record<Name, number>;
export function readNumbers(json: string, names: readonly string[]): Record<string, number> {
  const value: unknown = JSON.parse(json);
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  return Object.fromEntries(
    names.map((name) => {
      const field = fields.get(name);
      if (typeof field !== 'number') throw new Error(`a column that should hold the number "${name}" does not`);
      return [name, field];
    }),
  );
}
