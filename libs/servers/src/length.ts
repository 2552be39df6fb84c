/** isFullLength tells whether the scenarios run at their whole length (TIDEMARK_TEST_FULL=1); as a rule they are short. */
export function isFullLength(): boolean {
  return process.env['TIDEMARK_TEST_FULL'] === '1';
}

/** rounds is how often a scenario of chance is repeated: TIDEMARK_TEST_ROUNDS, else the short or the whole number. */
export function rounds(short: number, whole: number): number {
  const asked = Number(process.env['TIDEMARK_TEST_ROUNDS'] ?? NaN);
  if (Number.isInteger(asked) && asked > 0) return asked;
  return isFullLength() ? whole : short;
}
