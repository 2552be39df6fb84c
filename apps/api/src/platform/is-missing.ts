/** isMissing tells whether the file system said that there is no such file, which is an answer and no fault. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
