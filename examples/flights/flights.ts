// The main example: 3 million flights from files, by event time.
//
//   flights -+- keyBy origin, one day windows ----> daily/   (late ones: late/)
//            +- keyBy route, state and a timer ---> monthly/
import { days, hours, job, tumbling, type, value } from 'millrace';
import { fileSink, fileSource, jsonLines, jsonLinesOut } from '@millrace/connectors';
import { addFlight, type Flight, type FlightTotals, mergeTotals, NO_FLIGHTS } from './flight.ts';

/** Totals of the flights that left an airport on a day. */
export interface DailyTotals extends FlightTotals {
  readonly airport: string;
  readonly day: string;
}

/** Totals of a route in a month. */
export interface MonthlyTotals extends FlightTotals {
  readonly route: string;
  readonly month: string;
}

export default job('flights', (flow, parameters) => {
  const { input = 'data/flights', output = 'data/totals' } = parameters;

  const flights = flow
    .from(
      'flights',
      fileSource({ directory: input, include: '*.jsonl', format: jsonLines<Flight>() }),
    )
    .eventTime({
      timestamp: (flight) => Date.parse(flight.date),
      maxOutOfOrdernessMs: hours(3),
    });

  const daily = flights
    .keyBy((flight) => flight.origin)
    .window(tumbling(days(1)))
    .aggregate('daily', { create: () => NO_FLIGHTS, add: addFlight, merge: mergeTotals });

  daily
    .map(
      (window): DailyTotals => ({
        airport: window.key,
        day: new Date(window.windowStartMs).toISOString().slice(0, 10),
        ...window.value,
      }),
    )
    .to('daily-totals', fileSink({ directory: `${output}/daily`, format: jsonLinesOut() }));

  // More than three hours late: the window is closed. Nothing is thrown away.
  daily
    .late()
    .to('late-flights', fileSink({ directory: `${output}/late`, format: jsonLinesOut() }));

  flights
    .keyBy((flight) => `${flight.origin}-${flight.destination}`)
    .process('routes', {
      state: { totals: value(NO_FLIGHTS) },
      output: type<MonthlyTotals>(),
      onRecord(flight, { state, timers, timestampMs }) {
        state.totals.set(addFlight(state.totals.get(), flight));
        timers.registerEventTime(endOfMonth(timestampMs));
      },
      onTimer(timeMs, { key, state, emit }) {
        const month = new Date(timeMs).toISOString().slice(0, 7);
        if (state.totals.get().flights > 0) emit({ route: key, month, ...state.totals.get() });
        state.totals.clear();
      },
    })
    .to('monthly-totals', fileSink({ directory: `${output}/monthly`, format: jsonLinesOut() }));
});

/** The last millisecond of the month. */
function endOfMonth(timeMs: number): number {
  const date = new Date(timeMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - 1;
}
