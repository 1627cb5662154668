import type { Flow, Sink, Source } from '@millrace/core';

/** The records of the type tests. */
export interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly amount: number;
  readonly placedAtMs: number;
}

/** The other side of joins. */
export interface Payment {
  readonly customerId: string;
  readonly cents: bigint;
}

// These files are compiled, never run: the values need types only.
export declare const flow: Flow;
export declare const orderSource: Source<Order>;
export declare const paymentSource: Source<Payment>;
/** A sink or source with splits and states of its own, as connectors have them. */
export declare const fileSource: Source<
  string,
  { readonly splitId: string; readonly path: string },
  { readonly seen: readonly string[] }
>;
export declare function sinkOf<T>(): Sink<T, { readonly part: number }, { readonly path: string }>;
