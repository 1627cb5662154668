/** A file or directory as a list of the NameNode shows it. */
export interface HdfsChild {
  /** Without its directory; empty: the path that was listed is a file. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number;
}

/** One answer to LISTSTATUS_BATCH. */
export interface HdfsPage {
  readonly children: readonly HdfsChild[];
  /** Whether more come after the last of these. */
  readonly hasMore: boolean;
}

/** Reads an answer to LISTSTATUS_BATCH. @throws Error if it is none */
export function childrenIn(answer: unknown): HdfsPage {
  const listing = member(answer, 'DirectoryListing');
  const statuses = member(member(member(listing, 'partialListing'), 'FileStatuses'), 'FileStatus');
  if (!Array.isArray(statuses)) throw new Error('the NameNode answered with no list');
  const children = statuses.map((status: unknown) => ({
    name: String(member(status, 'pathSuffix')),
    isDirectory: member(status, 'type') === 'DIRECTORY',
    sizeBytes: Number(member(status, 'length')),
  }));
  return {
    children,
    hasMore: children.length > 0 && Number(member(listing, 'remainingEntries')) > 0,
  };
}

/** Whether an answer is `{"boolean": false}`: not done, and no word why. */
export function isFalse(answer: unknown): boolean {
  return member(answer, 'boolean') === false;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
