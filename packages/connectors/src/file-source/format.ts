/**
 * How the records of a file are cut and read. Anyone can write one; files are UTF-8 text.
 *
 *     const pipes: Format<string[]> = {
 *       name: 'pipes',
 *       framing: 'lines',
 *       createDecoder: () => (text) => text.split('|'),
 *     };
 */
export interface Format<T> {
  /** For messages. */
  readonly name: string;
  /**
   * `lines`: a line break ends a record. `quoted-lines`: not if it stands between double quotes;
   * such files are never split. Line breaks are LF or CRLF; empty lines are no records.
   */
  readonly framing: 'lines' | 'quoted-lines';
  /** The first record of each file is its header. */
  readonly hasHeader?: boolean;
  /**
   * Called once per file or part of a file.
   *
   * @param header null if there is none
   * @returns reads one record; throws if it is malformed. Synchronous.
   */
  createDecoder(header: string | null): (text: string) => T;
}
