import type { Tone } from './story.js';

/** TONE_COLOURS are the bars of the messages, as sRGB hex; the four severities are fixed by the wire contract. */
export const TONE_COLOURS: Readonly<Record<Tone, string>> = {
  low: '#36a64f',
  medium: '#ff9800',
  high: '#ff5722',
  critical: '#d32f2f',
  resolved: '#2e7d32',
  test: '#546e7a',
};
