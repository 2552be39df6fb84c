/** LabelledRow is a row of standardised features and the index of its class. */
export interface LabelledRow {
  readonly features: readonly number[];
  readonly target: number;
}

/** LogisticRegression is one weight a feature and a bias, in last place, for every class. */
export interface LogisticRegression {
  readonly weights: readonly (readonly number[])[];
}

const EPOCHS = 400;
const LEARNING_RATE = 0.5;
const PENALTY = 0.01;

/**
 * trainLogisticRegression fits a multinomial logistic regression by full-batch gradient descent on the mean cross-entropy
 * with an L2 penalty, from all-zero weights: the same rows always give the same model. Source: C. M. Bishop, "Pattern
 * Recognition and Machine Learning", 2006, section 4.3.4.
 */
export function trainLogisticRegression(rows: readonly LabelledRow[], classes: number): LogisticRegression {
  const features = rows[0].features.length;
  const weights = Array.from({ length: classes }, () => new Array<number>(features + 1).fill(0));
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const gradient = crossEntropyGradient({ weights }, rows);
    weights.forEach((row, k) => {
      for (let j = 0; j <= features; j++) {
        const penalty = j < features ? PENALTY * row[j] : 0;
        row[j] -= LEARNING_RATE * (gradient[k][j] + penalty);
      }
    });
  }
  return { weights };
}

/** probabilities gives each class its share of 1 for one row of standardised features. */
export function probabilities({ weights }: LogisticRegression, features: readonly number[]): number[] {
  const scores = weights.map((row) => features.reduce((sum, value, j) => sum + value * row[j], row[features.length]));
  // The largest score is taken off first, so that no exponential overflows.
  const top = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - top));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

function crossEntropyGradient(model: LogisticRegression, rows: readonly LabelledRow[]): number[][] {
  const gradient = model.weights.map((row) => row.map(() => 0));
  for (const { features, target } of rows) {
    const shares = probabilities(model, features);
    shares.forEach((share, k) => {
      const error = (share - (k === target ? 1 : 0)) / rows.length;
      features.forEach((value, j) => (gradient[k][j] += error * value));
      gradient[k][features.length] += error;
    });
  }
  return gradient;
}
