import { InvalidOptionError } from '@millrace/core/connector';
import type { Format } from './format.ts';

/** How the text of a field becomes a value. With `?`, an empty field is null. */
export type CsvColumn = CsvType | `${CsvType}?` | ((text: string) => unknown);
type CsvType = keyof CsvTypes;
interface CsvTypes {
  string: string;
  number: number;
  integer: number;
  bigint: bigint;
  boolean: boolean;
}

/** The record that columns make. */
export type CsvRecord<Columns> = {
  -readonly [Name in keyof Columns]: Columns[Name] extends (text: string) => infer Value
    ? Value
    : Columns[Name] extends `${infer Type extends CsvType}?`
      ? CsvTypes[Type] | null
      : Columns[Name] extends CsvType
        ? CsvTypes[Columns[Name]]
        : never;
};

/** Options of `csv` whatever the columns. */
export interface CsvOptions {
  /** Default `,`. One character. */
  readonly delimiter?: string;
  /**
   * Whether a quoted field may hold line breaks. Default true; false lets large files be split
   * among readers.
   */
  readonly multiline?: boolean;
}

/** With a header and no columns, every field is text under the name in the header. */
export function csv(
  options?: CsvOptions & { readonly header?: true; readonly columns?: undefined },
): Format<Record<string, string>>;
/** Names of the columns, all text; with a header they are looked up in it. */
export function csv<Name extends string>(
  options: CsvOptions & { readonly header?: boolean; readonly columns: readonly Name[] },
): Format<Record<Name, string>>;
/**
 * Names and types of the columns. With a header (the default) they are looked up in it, and others
 * are left out; without one they are all the fields of a line, in this order.
 */
export function csv<const Columns extends Readonly<Record<string, CsvColumn>>>(
  options: CsvOptions & { readonly header?: boolean; readonly columns: Columns },
): Format<CsvRecord<Columns>>;
/**
 * CSV as in RFC 4180: fields between double quotes may hold delimiters, line breaks and doubled
 * quotes. A record with another number of fields than the header is malformed.
 */
export function csv(
  options: CsvOptions & {
    readonly header?: boolean;
    readonly columns?: readonly string[] | Readonly<Record<string, CsvColumn>> | undefined;
  } = {},
): Format<Record<string, unknown>> {
  const { delimiter = ',', multiline = true, header: hasHeader = true, columns } = options;
  if (delimiter.length !== 1 || delimiter === '"') {
    throw new InvalidOptionError('delimiter', delimiter, 'must be one character, not a quote');
  }
  if (!hasHeader && columns === undefined) {
    throw new InvalidOptionError('columns', columns, 'must be given for CSV without a header');
  }
  return {
    name: 'CSV',
    framing: multiline ? 'quoted-lines' : 'lines',
    hasHeader,
    createDecoder(header) {
      const names = header === null ? null : splitFields(header, delimiter);
      const readers = columnReaders(columns, names);
      const width = names?.length ?? readers.length;
      return (text) => {
        const fields = splitFields(text, delimiter);
        if (fields.length !== width) {
          throw new SyntaxError(`${fields.length} fields instead of ${width}`);
        }
        const record: Record<string, unknown> = {};
        for (const { name, index, read } of readers) record[name] = read(fields[index]!);
        return record;
      };
    },
  };
}

interface ColumnReader {
  readonly name: string;
  readonly index: number;
  readonly read: (text: string) => unknown;
}

function columnReaders(
  columns: readonly string[] | Readonly<Record<string, CsvColumn>> | undefined,
  names: readonly string[] | null,
): ColumnReader[] {
  const twice = names?.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new SyntaxError(`the header names "${twice}" twice`);
  const wanted: (readonly [string, CsvColumn])[] =
    columns === undefined
      ? (names ?? []).map((name) => [name, 'string'])
      : Array.isArray(columns)
        ? columns.map((name) => [name, 'string'])
        : Object.entries(columns as Readonly<Record<string, CsvColumn>>);
  return wanted.map(([name, column], position) => {
    const index = names === null ? position : names.indexOf(name);
    if (index === -1) throw new SyntaxError(`the header has no column "${name}"`);
    return { name, index, read: typeof column === 'function' ? column : fieldReader(name, column) };
  });
}

function fieldReader(name: string, column: CsvType | `${CsvType}?`): (text: string) => unknown {
  const read = typeReader(name, column.replace('?', '') as CsvType);
  return column.endsWith('?') ? (text) => (text === '' ? null : read(text)) : read;
}

function typeReader(name: string, type: CsvType): (text: string) => unknown {
  const refuse = (text: string): never => {
    throw new TypeError(`"${text}" in column "${name}" is no ${type}`);
  };
  switch (type) {
    case 'string':
      return (text) => text;
    case 'number':
      return (text) => {
        const value = Number(text);
        return text.trim() === '' || Number.isNaN(value) ? refuse(text) : value;
      };
    case 'integer':
      return (text) => {
        const value = Number(text);
        return text.trim() === '' || !Number.isSafeInteger(value) ? refuse(text) : value;
      };
    case 'bigint':
      return (text) => (/^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : refuse(text));
    case 'boolean':
      return (text) => (text === 'true' ? true : text === 'false' ? false : refuse(text));
    default:
      throw new InvalidOptionError(`columns.${name}`, type, 'must be a type of a CSV column');
  }
}

/** The fields of one record. @throws SyntaxError on misplaced quotes */
function splitFields(text: string, delimiter: string): string[] {
  if (!text.includes('"')) return text.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] === '"') {
      const [field, end] = quotedField(text, at);
      fields.push(field);
      if (end < text.length && text[end] !== delimiter) {
        throw new SyntaxError('text after a closing quote');
      }
      at = end + 1;
    } else {
      const found = text.indexOf(delimiter, at);
      const end = found === -1 ? text.length : found;
      const field = text.slice(at, end);
      if (field.includes('"')) throw new SyntaxError('a quote inside a field without quotes');
      fields.push(field);
      at = end + 1;
    }
  }
  return fields;
}

function quotedField(text: string, start: number): [field: string, end: number] {
  let field = '';
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) throw new SyntaxError('a quote that is not closed');
    field += text.slice(from, quote);
    if (text[quote + 1] !== '"') return [field, quote + 1];
    field += '"';
    from = quote + 2;
  }
}
