/** An order of a customer, as it stands in a line of the input. */
export interface Order {
  /** Unique; a line with an id that was there before is a repetition and counts nothing. */
  readonly id: string;
  readonly customer: string;
  readonly cents: number;
  /** ISO 8601, UTC. */
  readonly placedAt: string;
}

/** Revenue of a customer on a day. */
export interface DailyRevenue {
  readonly customer: string;
  readonly day: string;
  readonly orders: number;
  readonly cents: number;
}

/** What a customer has ordered up to and with an order. */
export interface RunningTotal {
  readonly customer: string;
  readonly orderId: string;
  /** 1 for the first order of the customer. */
  readonly orders: number;
  readonly cents: number;
}
