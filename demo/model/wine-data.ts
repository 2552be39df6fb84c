/** WINE_FEATURES names the thirteen measurements of a wine in the order of the file. */
const WINE_FEATURES = [
  'alcohol',
  'malic_acid',
  'ash',
  'alcalinity_of_ash',
  'magnesium',
  'total_phenols',
  'flavanoids',
  'nonflavanoid_phenols',
  'proanthocyanins',
  'color_intensity',
  'hue',
  'od280_od315',
  'proline',
] as const;

/** Wine is one row: its measurements in the order of WINE_FEATURES, and the cultivator it came from. */
export interface Wine {
  readonly features: readonly number[];
  readonly label: string;
}

/** WineData is the whole file: the names of the classes and the rows. */
export interface WineData {
  readonly labels: readonly string[];
  readonly rows: readonly Wine[];
}

/**
 * parseWine reads demo/data/wine.csv: a line `rows,measurements,class names...`, then a line a wine that ends in the index
 * of its class. Throws an Error that names the line at fault.
 */
export function parseWine(csv: string): WineData {
  const [header, ...lines] = csv.trim().split(/\r?\n/);
  const [count, measurements, ...labels] = header.split(',');
  if (Number(measurements) !== WINE_FEATURES.length) throw new Error(`line 1: ${measurements} measurements, not 13`);
  if (Number(count) !== lines.length) throw new Error(`line 1: ${count} wines announced, ${lines.length} found`);
  return { labels, rows: lines.map((line, index) => parseRow(line, index + 2, labels)) };
}

function parseRow(line: string, lineNumber: number, labels: readonly string[]): Wine {
  const numbers = line.split(',').map((field) => (field.trim() === '' ? NaN : Number(field)));
  const features = numbers.slice(0, -1);
  const label = labels[numbers[numbers.length - 1]];
  if (features.length !== WINE_FEATURES.length || !features.every(Number.isFinite) || label === undefined) {
    throw new Error(`line ${lineNumber}: not thirteen numbers and a class`);
  }
  return { features, label };
}
