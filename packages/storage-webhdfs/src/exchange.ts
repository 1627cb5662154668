import * as http from 'node:http';
import * as https from 'node:https';
import type { NetworkAttempt } from '@millrace/core/storage';

/** What is sent as the body of a request. */
export interface OutgoingBody {
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** null: not known beforehand. */
  readonly sizeBytes: number | null;
}

/** One HTTP request. */
export interface Exchange {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly body?: OutgoingBody;
  readonly agent: http.Agent;
  readonly connectTimeoutMs: number;
  readonly attempt: NetworkAttempt;
}

/** What came back, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** There was no connection: nothing can have been done. */
export class NoConnectionError extends Error {}

const NO_BODY: OutgoingBody = { chunks: [], sizeBytes: 0 };

/**
 * Sends a request and takes in the answer, by node:http: `fetch` fails with what a DataNode says
 * unasked before it takes a body (100 Continue). Redirects are answers like others.
 *
 * The body is read from its first byte only when there is a connection. An answer that comes
 * before the body is sent ends the sending: it is a refusal.
 *
 * @throws NoConnectionError, the error of the connection, or what `body.chunks` throws
 */
export async function exchange(request: Exchange): Promise<Answer> {
  const { method, url, agent, attempt, body = NO_BODY } = request;
  const module = url.protocol === 'https:' ? https : http;
  const outgoing = module.request(url, {
    method,
    agent,
    headers: headersOf(method, body),
    signal: attempt.signal,
  });
  let isAnswered = false;
  outgoing.once('response', () => {
    isAnswered = true;
  });
  const answer = answerOf(outgoing, request);
  answer.catch(() => {}); // it may come while we wait for something else
  try {
    await Promise.race([connected(outgoing, request.connectTimeoutMs), answer]);
    await Promise.race([send(outgoing, body, attempt, () => isAnswered), answer]);
    return await answer;
  } finally {
    // A refusal in mid-body: what is left of it has no receiver.
    if (!outgoing.writableEnded) outgoing.destroy();
  }
}

function headersOf(method: string, body: OutgoingBody): http.OutgoingHttpHeaders {
  if (method === 'GET' || method === 'DELETE') return {};
  if (body.sizeBytes === 0) return { 'content-length': 0 };
  return {
    'content-type': 'application/octet-stream',
    ...(body.sizeBytes === null ? {} : { 'content-length': body.sizeBytes }),
  };
}

function connected(outgoing: http.ClientRequest, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new NoConnectionError(`no connection in ${timeoutMs} ms`);
      reject(error);
      outgoing.destroy(error);
    }, timeoutMs);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      then();
    };
    outgoing.once('error', (error) => settle(() => reject(connectionError(error))));
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) settle(resolve);
      else socket.once('connect', () => settle(resolve));
    });
  });
}

const NO_CONNECTION = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

// Only these say for sure that nothing was sent. A reset on a connection that was kept open may
// come after the request.
function connectionError(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  if (!NO_CONNECTION.has(code)) return error;
  return new NoConnectionError(error.message === '' ? code : error.message, { cause: error });
}

async function send(
  outgoing: http.ClientRequest,
  body: OutgoingBody,
  attempt: NetworkAttempt,
  isAnswered: () => boolean,
): Promise<void> {
  for await (const chunk of body.chunks) {
    if (outgoing.destroyed || isAnswered()) return; // said by the answer
    if (chunk.length === 0) continue;
    if (!outgoing.write(chunk)) await drained(outgoing);
    attempt.moved(chunk.length);
  }
  outgoing.end();
}

function drained(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'response']) outgoing.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'response']) outgoing.once(event, done);
  });
}

function answerOf(outgoing: http.ClientRequest, { attempt }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', (error) => reject(connectionError(error)));
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => {
        attempt.moved(chunk.length);
        chunks.push(chunk);
      });
      incoming.on('error', reject); // also when it breaks off before its end
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks),
        }),
      );
    });
  });
}
