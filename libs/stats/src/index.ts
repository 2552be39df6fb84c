export { SketchFormatError } from './byte-cursor.js';
export { DDSketch, type DDSketchOptions } from './ddsketch.js';
