const unitBytes: Readonly<Record<string, number>> = {
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
};

/**
 * Reads an amount of memory: a number and its unit, `512kb`, `256mb`, `1.5gb` (powers of 1 024).
 *
 * @returns bytes, whole; null if the text is not one
 */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(kb|mb|gb)$/i.exec(text);
  if (match === null) return null;
  return Math.round(Number(match[1]) * unitBytes[match[2]!.toLowerCase()]!);
}
