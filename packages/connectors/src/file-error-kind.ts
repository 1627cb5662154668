import { type FileErrorKind, FileSystemError } from '@millrace/core/connector';

/** The `kind` of an error of a `FileSystem`; `other` for everything else that was thrown. */
export function fileErrorKind(error: unknown): FileErrorKind {
  return error instanceof FileSystemError ? error.details.kind : 'other';
}
