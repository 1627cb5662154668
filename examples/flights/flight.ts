/** A flight of 2001 in the United States, as it stands in a line of the input. */
export interface Flight {
  /** Scheduled departure, ISO 8601, UTC. */
  readonly date: string;
  /** Minutes late at arrival; negative = early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Airports. */
  readonly origin: string;
  readonly destination: string;
}

/** What is counted per airport and day, and per route and month. */
export interface FlightTotals {
  readonly flights: number;
  readonly delayMinutes: number;
  readonly miles: number;
}

export const NO_FLIGHTS: FlightTotals = { flights: 0, delayMinutes: 0, miles: 0 };

/** @returns new totals with one more flight */
export function addFlight(totals: FlightTotals, flight: Flight): FlightTotals {
  return {
    flights: totals.flights + 1,
    delayMinutes: totals.delayMinutes + flight.delay,
    miles: totals.miles + flight.distance,
  };
}

/** @returns the totals of both */
export function mergeTotals(a: FlightTotals, b: FlightTotals): FlightTotals {
  return {
    flights: a.flights + b.flights,
    delayMinutes: a.delayMinutes + b.delayMinutes,
    miles: a.miles + b.miles,
  };
}
