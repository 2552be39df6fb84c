/** environmentFile writes a .env with fresh secrets; `random` makes bytes. */
export function environmentFile(options: {
  readonly publicUrl: string;
  readonly random?: (size: number) => Buffer;
}): string;
