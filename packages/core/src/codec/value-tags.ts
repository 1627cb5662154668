// First byte of an encoded value. Part of the stored format: append, never renumber.
//
//   INT     varint of the zigzag form, 32 bits       FLOAT   f64 (-0, NaN, fractions, big ones)
//   ASCII   length u8, bytes                         UTF8    length varint, bytes
//   UTF16   length varint in bytes, units            BIGINT  sign u8, length varint, magnitude
//   ARRAY   count, values                            SPARSE  length, count, (index, value)*
//   SHAPED  shape id u64, values                     INLINE  count, (name, value)*
//   DATE    f64                                      MAP     count, (key, value)*
//   SET     count, values                            BYTES   length varint (an ArrayBuffer)
//   VIEW    kind u8, length varint, bytes            REGEXP  source, flags
//   ERROR   kind u8, fields u8, message [stack] [cause]      BOXED   value

/** First byte of an encoded value. */
export const NULL = 0;
export const UNDEFINED = 1;
export const TRUE = 2;
export const FALSE = 3;
export const INT = 4;
export const FLOAT = 5;
export const ASCII = 6;
export const UTF8 = 7;
export const UTF16 = 8;
export const ARRAY = 9;
export const SPARSE = 10;
export const SHAPED = 11;
export const INLINE = 12;
export const BIGINT = 13;
export const DATE = 14;
export const MAP = 15;
export const SET = 16;
export const BYTES = 17;
export const VIEW = 18;
export const REGEXP = 19;
export const ERROR = 20;
export const BOXED = 21;

/** Bits of the fields of an ERROR. */
export const HAS_STACK = 1;
export const HAS_CAUSE = 2;

/** Deeper values are refused on both sides: recursion must not overflow the stack. */
export const MAX_DEPTH = 500;
