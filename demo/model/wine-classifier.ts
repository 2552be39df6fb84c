import { type Random, shuffled } from '../random.js';
import { probabilities, trainLogisticRegression } from './logistic-regression.js';
import { fitStandardiser, standardise } from './standardiser.js';
import type { Wine, WineData } from './wine-data.js';

/** Prediction is the most likely cultivator and the probability the model gives it, in [1/3, 1]. */
export interface Prediction {
  readonly label: string;
  readonly confidence: number;
}

/** WineClassifier is the trained model with what it was tested on. */
export interface WineClassifier {
  predict(features: readonly number[]): Prediction;
  /** heldOut are the wines it has not seen in training, and heldOutAccuracy the share of them it gets right. */
  readonly heldOut: readonly Wine[];
  readonly heldOutAccuracy: number;
  /** deviations are the standard deviations of the features it was trained on, in their own units. */
  readonly deviations: readonly number[];
}

const HELD_OUT_SHARE = 0.3;

/**
 * trainWineClassifier holds out 30% of every class, drawn with the given randomness, and fits a standardiser and a
 * logistic regression to the rest. Takes some ten milliseconds.
 */
export function trainWineClassifier(data: WineData, random: Random): WineClassifier {
  const { training, heldOut } = split(data, random);
  const standardiser = fitStandardiser(training.map((wine) => wine.features));
  const rows = training.map(({ features, label }) => ({
    features: standardise(standardiser, features),
    target: data.labels.indexOf(label),
  }));
  const model = trainLogisticRegression(rows, data.labels.length);
  const predict = (features: readonly number[]): Prediction => {
    const shares = probabilities(model, standardise(standardiser, features));
    const confidence = Math.max(...shares);
    return { label: data.labels[shares.indexOf(confidence)], confidence };
  };
  const right = heldOut.filter((wine) => predict(wine.features).label === wine.label);
  return { predict, heldOut, heldOutAccuracy: right.length / heldOut.length, deviations: standardiser.deviations };
}

function split({ labels, rows }: WineData, random: Random): { training: Wine[]; heldOut: Wine[] } {
  const training: Wine[] = [];
  const heldOut: Wine[] = [];
  for (const label of labels) {
    const wines = shuffled(
      rows.filter((wine) => wine.label === label),
      random,
    );
    const share = Math.round(wines.length * HELD_OUT_SHARE);
    heldOut.push(...wines.slice(0, share));
    training.push(...wines.slice(share));
  }
  return { training, heldOut };
}
