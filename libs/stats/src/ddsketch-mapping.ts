/**
 * MIN_INDEXABLE is the smallest magnitude that gets a bin of its own, 1e-12: anything closer to zero is counted as
 * zero, so the relative error is not bounded there (the absolute error is, by 1e-12).
 */
export const MIN_INDEXABLE = 1e-12;

/** MIN_ACCURACY is the finest relative accuracy a sketch may ask for, 0.0001. */
export const MIN_ACCURACY = 1e-4;

/** MAX_ACCURACY is the coarsest relative accuracy a sketch may ask for, 0.5. */
export const MAX_ACCURACY = 0.5;

/**
 * LogMapping turns a magnitude of at least MIN_INDEXABLE into the index of its bin and back. With
 * gamma = (1 + a) / (1 - a), bin i holds (gamma^(i-1), gamma^i], and 2 gamma^i / (gamma + 1) is within a relative
 * error of `a` of everything in it (up to the rounding of float64). Source: C. Masson, J. E. Rim and H. K. Lee,
 * "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB 12(12), 2019, section 2.
 */
export class LogMapping {
  readonly minIndex: number;
  readonly maxIndex: number;
  private readonly logGamma: number;
  private readonly multiplier: number;
  private readonly logMiddle: number;

  constructor(relativeAccuracy: number) {
    this.logGamma = Math.log1p(relativeAccuracy) - Math.log1p(-relativeAccuracy);
    this.multiplier = 1 / this.logGamma;
    // 2 / (gamma + 1) = 1 - a; kept as a logarithm so that the top bins do not overflow on the way back.
    this.logMiddle = Math.log1p(-relativeAccuracy);
    this.minIndex = this.index(MIN_INDEXABLE);
    this.maxIndex = this.index(Number.MAX_VALUE);
  }

  /** index is the bin of a magnitude in [MIN_INDEXABLE, Number.MAX_VALUE], an int32. */
  index(magnitude: number): number {
    return Math.ceil(Math.log(magnitude) * this.multiplier) | 0;
  }

  /** value is the magnitude that stands for a bin; Infinity is possible in the very last one, callers clamp. */
  value(index: number): number {
    return Math.exp(index * this.logGamma + this.logMiddle);
  }
}
