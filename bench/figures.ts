import type { Figure } from './figure.js';
import { ingestFigure } from './figures/ingest.js';

/** FIGURES are all that the bench can measure, in the order in which it does. */
export const FIGURES: readonly Figure[] = [ingestFigure];
