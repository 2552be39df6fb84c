/** figure prints one measured figure under the name of its scenario: tests show figures, they do not judge speed. */
export function figure(name: string, value: string): void {
  process.stdout.write(`  figure  ${name}: ${value}\n`);
}

/** milliseconds writes a duration for a person. */
export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** megabytes writes a size for a person. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** percentile is the value below which that share (0 to 1) of the values lie; NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
