export { DDSketch, type DDSketchOptions } from './ddsketch.js';
export { SketchFormatError } from './sketch-format-error.js';
