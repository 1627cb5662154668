import type { Readable } from 'node:stream';
import type { NetworkAttempt } from '@millrace/core/storage';

/** The part of an answer of GetObject that a body is read from. */
export interface ObjectAnswer {
  readonly Body?: unknown;
  readonly ContentLength?: number | undefined;
}

/**
 * Reads the body of an answer to its end.
 *
 * @throws Error if it ends before the length that was announced: the connection was cut
 */
export async function readBody(answer: ObjectAnswer, attempt: NetworkAttempt): Promise<Uint8Array> {
  const body = answer.Body as Readable | undefined;
  if (body === undefined) return new Uint8Array();
  // The SDK's own signal counts only until the head of the answer is there.
  const stop = (): void => void body.destroy(new Error('given up'));
  attempt.signal.addEventListener('abort', stop);
  try {
    if (attempt.signal.aborted) stop();
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      attempt.moved(chunk.length);
    }
    if (answer.ContentLength !== undefined && sizeBytes !== answer.ContentLength) {
      throw new Error(`the answer ended after ${sizeBytes} of ${answer.ContentLength} bytes`);
    }
    // Not a slice of node's pool: callers keep what they read.
    return chunks.length === 1 && chunks[0]!.buffer.byteLength === sizeBytes
      ? chunks[0]!
      : new Uint8Array(Buffer.concat(chunks, sizeBytes));
  } finally {
    attempt.signal.removeEventListener('abort', stop);
  }
}
