/**
 * SketchFormatError says why bytes are not a sketch: cut short (`truncated`), written by a version this one does not
 * read (`unknown_version`), or contradicting themselves (`corrupt`).
 */
export class SketchFormatError extends Error {
  override readonly name = 'SketchFormatError';

  constructor(
    readonly reason: 'truncated' | 'unknown_version' | 'corrupt',
    detail: string,
  ) {
    super(`not a readable sketch: ${detail}`);
  }
}
