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

/** TONE_INKS are the colours of text on those bars: at least 4.5:1 of contrast (WCAG 2.2, 1.4.3) on each. */
export const TONE_INKS: Readonly<Record<Tone, string>> = {
  low: '#10151a',
  medium: '#10151a',
  high: '#10151a',
  critical: '#ffffff',
  resolved: '#ffffff',
  test: '#ffffff',
};
