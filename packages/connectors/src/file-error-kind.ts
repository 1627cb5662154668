import type { FileErrorKind } from '@millrace/core/connector';

/** The `kind` of an error of a `FileSystem`; `other` for everything else that was thrown. */
export function fileErrorKind(error: unknown): FileErrorKind {
  const kind = (error as { readonly kind?: unknown } | null)?.kind;
  return typeof kind === 'string' ? (kind as FileErrorKind) : 'other';
}
