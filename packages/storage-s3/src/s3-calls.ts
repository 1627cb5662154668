import type { S3Client } from '@aws-sdk/client-s3';
import {
  checkObjectName,
  type NetworkAttempt,
  NetworkCalls,
  type NetworkPolicy,
  StorageCredentialsExpiredError,
  type StorageErrorDetails,
} from '@millrace/core/storage';
import type { Environment } from '@millrace/core/host';
import { s3ErrorOf } from './s3-errors.ts';

type Operation = StorageErrorDetails['operation'];

/** What a call adds to its request. */
export interface S3CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly sentBytes?: number;
  /** Default true; see `NetworkCall.isRepeatable`. */
  readonly isRepeatable?: boolean;
}

/** What is passed to the SDK with every command. */
export interface Sending {
  readonly abortSignal: AbortSignal;
}

/** Where the objects are. */
export interface S3Place {
  readonly bucket: string;
  /** Empty, or ending in `/`. */
  readonly directory: string;
  readonly location: string;
}

/** Calls on one bucket: names made whole, errors made ours, attempts repeated. */
export class S3Calls {
  readonly bucket: string;
  readonly directory: string;
  readonly location: string;
  readonly #newClient: () => S3Client;
  readonly #network: NetworkCalls;
  #client: S3Client;

  constructor(
    newClient: () => S3Client,
    place: S3Place,
    environment: Pick<Environment, 'clock' | 'scheduler' | 'random'>,
    policy: NetworkPolicy,
  ) {
    this.#newClient = newClient;
    this.#client = newClient();
    this.bucket = place.bucket;
    this.directory = place.directory;
    this.location = place.location;
    this.#network = new NetworkCalls(environment, policy);
  }

  /** Bucket and key, as all commands on an object want them. */
  object(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.directory + name };
  }

  details(operation: Operation, name: string): StorageErrorDetails {
    return { location: this.location, operation, name };
  }

  /** @throws StorageNameError */
  check(operation: Operation, name: string): void {
    checkObjectName(this.details(operation, name));
  }

  /** Sends with all of `NetworkCalls`. @throws StorageError, or the reason of the signal */
  send<T>(
    operation: Operation,
    name: string,
    options: S3CallOptions,
    send: (client: S3Client, sending: Sending, attempt: NetworkAttempt) => Promise<T>,
  ): Promise<T> {
    const details = this.details(operation, name);
    let client = this.#client;
    return this.#network.run({
      details,
      signal: options.signal,
      sentBytes: options.sentBytes ?? 0,
      isRepeatable: options.isRepeatable ?? true,
      attempt: (attempt) => {
        client = this.#client;
        return send(client, { abortSignal: attempt.signal }, attempt);
      },
      errorOf: (error) => {
        const seen = s3ErrorOf(error, details);
        if (seen instanceof StorageCredentialsExpiredError) this.#renew(client);
        return seen;
      },
    });
  }

  // A client keeps credentials that bear no date for ever; a new one asks the chain again. The old
  // one may have calls under way: it is left to them, and the server closes its connections.
  #renew(expired: S3Client): void {
    if (this.#client === expired) this.#client = this.#newClient();
  }

  close(): void {
    this.#client.destroy();
  }
}
