/** Standardiser holds the mean and the standard deviation of every feature of the rows it was fitted to. */
export interface Standardiser {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** fitStandardiser measures the rows (at least one, all of one length); a feature that never varies gets deviation 1. */
export function fitStandardiser(rows: readonly (readonly number[])[]): Standardiser {
  const means = rows[0].map((_, feature) => mean(rows.map((row) => row[feature])));
  const deviations = means.map(
    (centre, feature) => Math.sqrt(mean(rows.map((row) => (row[feature] - centre) ** 2))) || 1,
  );
  return { means, deviations };
}

/** standardise turns features into numbers of standard deviations from the mean. */
export function standardise({ means, deviations }: Standardiser, features: readonly number[]): number[] {
  return features.map((value, feature) => (value - means[feature]) / deviations[feature]);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
