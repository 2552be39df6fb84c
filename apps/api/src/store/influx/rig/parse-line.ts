/** ParsedLine is a line of line protocol as InfluxDB's documentation says it is to be read. */
export interface ParsedLine {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly time: string;
}

/** parseLine reads one line, without its line feed. Throws SyntaxError. */
export function parseLine(line: string): ParsedLine {
  // Quotes mean something only behind the tags.
  const [head] = split(line, ' ', false);
  const [fields, time, ...rest] = split(line.slice(head.length + 1), ' ', true);
  if (time === undefined || rest.length > 0) throw new SyntaxError(`not three parts: ${line}`);
  const [measurement, ...tags] = split(head, ',', false);
  return {
    measurement: plainKey(measurement),
    tags: Object.fromEntries(tags.map((tag) => pair(tag)).map(([key, value]) => [key, plainKey(value)])),
    fields: Object.fromEntries(
      split(fields, ',', true)
        .map((field) => pair(field))
        .map(([key, value]) => [key, fieldValue(value)]),
    ),
    time,
  };
}

function pair(text: string): [string, string] {
  const [key, ...value] = split(text, '=', false);
  if (value.length === 0 || value.join('=') === '') throw new SyntaxError(`no value: ${text}`);
  return [plainKey(key), value.join('=')];
}

function fieldValue(text: string): string | number {
  if (text.startsWith('"') && text.endsWith('"') && text.length > 1) {
    return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
  }
  if (/^-?\d+i$/.test(text)) return Number(text.slice(0, -1));
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new SyntaxError(`no number: ${text}`);
  return Number(text);
}

/** split parts at a character that is neither escaped nor, if quotes count, inside the quotes of a field's value. */
function split(text: string, at: string, quotes: boolean): string[] {
  const parts = [''];
  let [quoted, inValue] = [false, false];
  for (let i = 0; i < text.length; i++) {
    const last = parts.length - 1;
    if (text[i] === '\\' && i + 1 < text.length) {
      parts[last] += text[i] + text[++i];
      continue;
    }
    if (quotes && inValue && text[i] === '"') quoted = !quoted;
    if (!quoted && text[i] === '=') inValue = true;
    if (!quoted && text[i] === ',') inValue = false;
    if (text[i] === at && !quoted) parts.push('');
    else parts[last] += text[i];
  }
  return parts;
}

function plainKey(text: string): string {
  return text.replace(/\\([,= ])/g, '$1');
}
