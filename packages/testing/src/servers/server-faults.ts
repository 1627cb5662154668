/** What can happen to a call on a virtual server. */
export type ServerFault =
  /** Not done; the client is told so: too many requests. */
  | 'throttled'
  /** Not done; the client is told so. */
  | 'refused'
  /** Not done, and the client hears nothing: a time-out. */
  | 'lostRequest'
  /** Done, and the client hears nothing: a time-out. */
  | 'lostReply'
  /** The client gives up with a time-out; it is done some time before or after that. */
  | 'late'
  /** Done, and told, much later than usual. */
  | 'slow'
  /** This call and all that follow are refused for a while. */
  | 'outage'
  /** This call and all that follow are denied for a while: the permission is gone. */
  | 'denial';

/** What the client hears of a call that failed; after a `timeout` its outcome is unknown. */
export type ServerFailure = 'throttled' | 'unavailable' | 'timeout' | 'denied';

/** Probability, per call, of each fault. Together at most 1. */
export type ServerFaultRates = Readonly<Record<ServerFault, number>>;

/** A server that does what it is asked to. */
export const NO_FAULTS: ServerFaultRates = {
  throttled: 0,
  refused: 0,
  lostRequest: 0,
  lostReply: 0,
  late: 0,
  slow: 0,
  outage: 0,
  denial: 0,
};

/** All faults, in the order in which they are drawn. */
export const SERVER_FAULTS = Object.keys(NO_FAULTS) as readonly ServerFault[];
