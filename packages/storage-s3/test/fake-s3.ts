import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a script sees it. */
export interface FakeRequest {
  readonly index: number;
  /** For example `PUT`, `POST ?uploads`, `PUT ?partNumber`, `POST ?uploadId`, `GET ?list-type`. */
  readonly what: string;
  readonly key: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What becomes of a request instead of a good answer. */
export type FakeFault =
  | {
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Carried out although it is told to have failed. */
      readonly isDone?: boolean;
    }
  /** No answer, ever. */
  | 'hang'
  /** The head of the answer and half of its body, then nothing. */
  | 'hang in body'
  /** The head of the answer and half of its body, then the end of the connection. */
  | 'cut in body'
  /** Not carried out; the connection ends. */
  | 'reset'
  /** Carried out; the connection ends. */
  | 'lost reply';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/**
 * An S3 server of one bucket, in memory, that can be told to fail. Does not look at signatures.
 */
export class FakeS3 {
  fault: (request: FakeRequest) => FakeFault | undefined = () => undefined;
  /** Which header of a PUT forbids to overwrite; null: the store ignores all of them. */
  creationHeader: string | null = 'if-none-match';
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<
    string,
    { readonly key: string; readonly parts: Map<number, Buffer> }
  >();
  readonly requests: FakeRequest[] = [];
  endpoint = '';
  readonly #server: Server;
  #uploadCount = 0;

  private constructor() {
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
  }

  static async start(): Promise<FakeS3> {
    const fake = new FakeS3();
    await new Promise<void>((resolve) => void fake.#server.listen(0, '127.0.0.1', resolve));
    fake.endpoint = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** How many requests of a kind have come. */
  count(what: string): number {
    return this.requests.filter((request) => request.what === what).length;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url!, 'http://host');
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return; // the client gave up
    }
    const request: FakeRequest = {
      index: this.requests.length,
      what: nameOf(incoming.method!, url.searchParams),
      key: decodeURIComponent(url.pathname.split('/').slice(2).join('/')),
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === 'hang') return;
    if (fault === 'reset') return void outgoing.destroy();
    const isDone = fault === undefined || typeof fault === 'string' || fault.isDone === true;
    const answer = isDone ? this.#answer(request, url.searchParams) : null;
    if (fault === 'lost reply') return void outgoing.destroy();
    if (typeof fault === 'object') {
      const { status, code, message = 'injected', headers } = fault;
      return reply(outgoing, {
        ...failure(status, code, message),
        ...(headers ? { headers } : {}),
      });
    }
    if (fault === undefined) return reply(outgoing, answer!, incoming.method === 'HEAD');
    const body = Buffer.from(answer!.body ?? '');
    outgoing.writeHead(answer!.status, { ...answer!.headers, 'content-length': body.length });
    outgoing.write(body.subarray(0, body.length / 2), () => {
      if (fault === 'cut in body') outgoing.destroy();
    });
  }

  #answer({ what, key, headers, body }: FakeRequest, query: URLSearchParams): Answer {
    switch (what) {
      case 'PUT': {
        const isForbidden = this.creationHeader !== null && headers[this.creationHeader];
        if (isForbidden && this.objects.has(key)) {
          return this.creationHeader === 'if-none-match'
            ? failure(412, 'PreconditionFailed')
            : failure(409, 'FileAlreadyExists');
        }
        this.objects.set(key, body);
        return { status: 200 };
      }
      case 'GET':
      case 'HEAD':
        return this.#read(key, headers.range);
      case 'DELETE':
        this.objects.delete(key);
        return { status: 204 };
      case 'GET ?list-type':
        return this.#list(query);
      case 'POST ?delete':
        for (const [, name] of body.toString().matchAll(/<Key>([^<]+)<\/Key>/g)) {
          this.objects.delete(name!);
        }
        return { status: 200, body: '<DeleteResult></DeleteResult>' };
      case 'GET ?uploads': {
        const uploads = [...this.uploads].map(
          ([id, upload]) => `<Upload><Key>${upload.key}</Key><UploadId>${id}</UploadId></Upload>`,
        );
        const result = `<IsTruncated>false</IsTruncated>${uploads.join('')}`;
        return {
          status: 200,
          body: `<ListMultipartUploadsResult>${result}</ListMultipartUploadsResult>`,
        };
      }
      default:
        return this.#multipart(what, key, body, query);
    }
  }

  #multipart(what: string, key: string, body: Buffer, query: URLSearchParams): Answer {
    if (what === 'POST ?uploads') {
      const id = `upload-${++this.#uploadCount}`;
      this.uploads.set(id, { key, parts: new Map() });
      const result = `<UploadId>${id}</UploadId>`;
      return {
        status: 200,
        body: `<InitiateMultipartUploadResult>${result}</InitiateMultipartUploadResult>`,
      };
    }
    const id = query.get('uploadId')!;
    const upload = this.uploads.get(id);
    if (upload === undefined) return failure(404, 'NoSuchUpload');
    switch (what) {
      case 'PUT ?partNumber':
        upload.parts.set(Number(query.get('partNumber')), body);
        return { status: 200, headers: { etag: `"${query.get('partNumber')}"` } };
      case 'POST ?uploadId': {
        const parts = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, n]) =>
          Number(n),
        );
        this.objects.set(key, Buffer.concat(parts.map((n) => upload.parts.get(n)!)));
        this.uploads.delete(id);
        return {
          status: 200,
          body: '<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>',
        };
      }
      case 'DELETE ?uploadId':
        this.uploads.delete(id);
        return { status: 204 };
      default:
        return failure(501, 'NotImplemented');
    }
  }

  #read(key: string, range: string | undefined): Answer {
    const bytes = this.objects.get(key);
    if (bytes === undefined) return failure(404, 'NoSuchKey');
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (from === undefined) return { status: 200, body: bytes };
    if (Number(from) >= bytes.length) return failure(416, 'InvalidRange');
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const last = Number(from) + part.length - 1;
    const headers = { 'content-range': `bytes ${from}-${last}/${bytes.length}` };
    return { status: 206, headers, body: part };
  }

  #list(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
    const page = keys.sort().slice(0, 1_000);
    const isCut = page.length < keys.length;
    const contents = page.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${this.objects.get(key)!.length}</Size></Contents>`,
    );
    const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    const result = `<IsTruncated>${isCut}</IsTruncated>${next}${contents.join('')}`;
    return { status: 200, body: `<ListBucketResult>${result}</ListBucketResult>` };
  }
}

function nameOf(method: string, query: URLSearchParams): string {
  const kinds = ['partNumber', 'uploadId', 'uploads', 'list-type', 'delete'];
  const kind = kinds.find((name) => query.has(name));
  return kind === undefined ? method : `${method} ?${kind}`;
}

function failure(status: number, code: string, message = code): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>` };
}

function reply(outgoing: ServerResponse, { status, headers, body }: Answer, isHead = false): void {
  const bytes = Buffer.from(body ?? '');
  outgoing.writeHead(status, { ...headers, 'content-length': bytes.length });
  outgoing.end(isHead ? undefined : bytes);
}
