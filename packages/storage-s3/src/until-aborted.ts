/**
 * The same items until the signal is aborted; then throws its reason at once, even if the source
 * hangs: whoever gives up does not wait for it.
 */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  const iterator = items[Symbol.asyncIterator]();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal!.reason);
    signal?.addEventListener('abort', onAbort);
  });
  aborted.catch(() => {}); // perhaps nobody waits for it at that moment
  let isAtEnd = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      isAtEnd = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not waited for: it ends only when the source's own pending step does.
    if (!isAtEnd) iterator.return?.().catch(() => {});
  }
}
