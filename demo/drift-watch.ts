/** Baseline is what the features were like in training: mean and standard deviation of each, in its own unit. */
export interface Baseline {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Drift is how far the recent inputs are from the baseline. */
export interface Drift {
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  /** 1 minus the p-value of the worst feature, corrected for the number of features (Bonferroni); 0..1. */
  readonly confidence: number;
  /** Largest |z| over the features. */
  readonly z: number;
}

const SEVERITY_BY_Z = [
  [9, 'critical'],
  [7, 'high'],
  [4.5, 'medium'],
] as const;

/** baselineOf measures the baseline of a set of rows; deviations are of the sample (n - 1). */
export function baselineOf(rows: readonly (readonly number[])[]): Baseline {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, feature) => rows.map((row) => row[feature] ?? 0));
  const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length);
  const deviations = columns.map((column, feature) => {
    const squares = column.reduce((sum, value) => sum + (value - (means[feature] ?? 0)) ** 2, 0);
    return Math.sqrt(squares / Math.max(1, column.length - 1));
  });
  return { means, deviations };
}

/** DriftWatch keeps the newest inputs and compares their means with the baseline, feature by feature. */
export class DriftWatch {
  private readonly recent: (readonly number[])[] = [];

  constructor(
    private readonly baseline: Baseline,
    private readonly windowSize: number,
  ) {}

  /** see takes one input in. */
  see(features: readonly number[]): void {
    this.recent.push(features);
    if (this.recent.length > this.windowSize) this.recent.shift();
  }

  /**
   * measure is a z-test of each feature's mean over the window, |mean - mu| / (sigma / sqrt(n)); the worst one decides.
   * Null until the window is full.
   */
  measure(): Drift | null {
    if (this.recent.length < this.windowSize) return null;
    const { means } = baselineOf(this.recent);
    const scores = means.map((mean, feature) => {
      const error = (this.baseline.deviations[feature] ?? 1) / Math.sqrt(this.recent.length);
      return Math.abs(mean - (this.baseline.means[feature] ?? 0)) / error;
    });
    const z = Math.max(...scores);
    const severity = SEVERITY_BY_Z.find(([least]) => z >= least)?.[1] ?? 'low';
    return { severity, confidence: Math.max(0, 1 - scores.length * twoSidedP(z)), z };
  }
}

/** P(|Z| > z) of a standard normal Z, by Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7. */
function twoSidedP(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return series * Math.exp(-x * x);
}
