/**
 * What an operator writes its `process` with, when it stands in the generated loop of a chain.
 *
 * The point is where the user's functions are called from. A method of an operator class is shared
 * by all jobs of the process, and so is what V8 has learned about its calls: it can inline none of
 * them, and a timestamp that is passed on is allocated. The text of a loop belongs to one chain.
 */
export interface LoopWriter {
  /** A name for something that stays the same from `open` on. */
  bind(value: unknown): string;
  /** A name for a variable, not used anywhere else. */
  local(): string;
  /** Statements that hand the value of an expression on, with the record's timestamp. */
  next(value: string): string;
}

/** The record in hand: expressions for its value and its timestamp. */
export interface LoopRecord {
  readonly value: string;
  readonly time: string;
}
