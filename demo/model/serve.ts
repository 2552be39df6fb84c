import type { Clock } from '../clock.js';
import type { Prediction, WineClassifier } from './wine-classifier.js';

/** ServedRequest is what the model server is asked: the features, and how long the work around the model takes. */
export interface ServedRequest {
  readonly features: readonly number[];
  readonly workMs: number;
}

/** serve makes the function that answers requests: it waits `workMs` on the clock, then predicts. */
export function serve(
  classifier: Pick<WineClassifier, 'predict'>,
  clock: Clock,
): (request: ServedRequest) => Promise<Prediction> {
  return async function classifyWine({ features, workMs }) {
    await clock.sleep(workMs);
    return classifier.predict(features);
  };
}
