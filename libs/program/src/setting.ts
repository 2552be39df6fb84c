/** Setting is one environment variable: what it means, its default as written, and how its text is read. */
export interface Setting<T> {
  readonly env: string;
  readonly byDefault: string;
  readonly help: string;
  /** read returns the value, or throws an Error that says what the text should be, without repeating a secret. */
  readonly read: (text: string) => T;
}

/** SettingValues are what settings were read as, by their names. */
export type SettingValues<S> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

/** Environment is the variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** setting describes a variable. */
export function setting<T>(env: string, byDefault: string, help: string, read: (text: string) => T): Setting<T> {
  return { env, byDefault, help, read };
}

/** readSettings reads every setting from the environment; a blank variable counts as absent. All faults are told together. */
export function readSettings<S extends Readonly<Record<string, Setting<unknown>>>>(
  settings: S,
  env: Environment,
): { readonly values: SettingValues<S>; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const values = Object.entries(settings).map(([name, { env: variable, byDefault, read }]) => {
    const given = env[variable]?.trim();
    try {
      return [name, read(given || byDefault)] as const;
    } catch (error) {
      faults.push(`${variable}: ${error instanceof Error ? error.message : String(error)}`);
      return [name, read(byDefault)] as const;
    }
  });
  // Each name has what its own setting read, which is what the type says.
  return { values: Object.fromEntries(values) as SettingValues<S>, faults };
}

/**
 * unknownNames finds variables that look like ours and are none, because a misspelt name would be ignored in silence. One
 * set of variables may serve all programs: `ofOthers` are known names that this one does not read.
 */
export function unknownNames(
  env: Environment,
  settings: readonly Setting<unknown>[],
  ofOthers: readonly string[],
): readonly string[] {
  const known = new Set([...settings.map(({ env: variable }) => variable), ...ofOthers]);
  const strangers = Object.keys(env).filter((name) => name.startsWith('TIDEMARK_') && !known.has(name));
  return strangers.map((name) => `${name}: is not a variable of Tidemark; docs/configuration.md lists them all`);
}
