import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server got it. */
export interface Seen {
  /** GET, PUT, ... */
  readonly method: string;
  /** Below `/webhdfs/v1`, decoded. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly body: string;
}

/** How to answer; `hang`: never, `cut`: the connection breaks before an answer. */
export type Reply =
  | { readonly status: number; readonly json?: unknown; readonly location?: string }
  | 'hang'
  | 'cut';

/** A server that plays NameNode and DataNode as a test tells it to. */
export class FakeNameNode {
  readonly requests: Seen[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param answer what to say to the request; null: as a server does to which all is well */
  static async start(
    answer: (seen: Seen, fake: FakeNameNode) => Reply | null,
  ): Promise<FakeNameNode> {
    const server = createServer();
    const fake = new FakeNameNode(server);
    server.on('request', (request, response) => {
      void fake.#serve(request, response, answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get host(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /** `OP path` of each request, a DataNode's with `*`. */
  get story(): string[] {
    return this.requests.map(({ path, parameters }) => {
      const kind = parameters.has('datanode') ? '*' : '';
      return `${parameters.get('op')}${kind} ${path.replace(/~\w+/, '~')}`;
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (seen: Seen, fake: FakeNameNode) => Reply | null,
  ): Promise<void> {
    const url = new URL(request.url!, `http://${this.host}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const seen: Seen = {
      method: request.method!,
      path: decodeURIComponent(url.pathname.replace('/webhdfs/v1', '')),
      parameters: new URLSearchParams(url.searchParams),
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(seen);
    const reply = answer(seen, this) ?? this.#usual(seen, url);
    if (reply === 'hang') return;
    if (reply === 'cut') {
      request.socket.destroy();
      return;
    }
    const headers = reply.location === undefined ? {} : { location: reply.location };
    response.writeHead(reply.status, headers);
    response.end(reply.json === undefined ? undefined : JSON.stringify(reply.json));
  }

  #usual({ parameters }: Seen, url: URL): Reply {
    const op = parameters.get('op');
    if (op === 'RENAME') return { status: 200 };
    if (op === 'GETFILESTATUS') return refusal('FileNotFoundException', 'no such file', 404);
    if (op === 'DELETE') return { status: 200, json: { boolean: true } };
    if (parameters.has('datanode')) return { status: op === 'CREATE' ? 201 : 200 };
    url.searchParams.set('datanode', 'true');
    return { status: 200, json: { Location: url.href } };
  }
}

/** The refusal of a Hadoop server. */
export function refusal(exception: string, message = 'no', status = 403): Reply {
  return { status, json: { RemoteException: { exception, message, javaClassName: exception } } };
}
