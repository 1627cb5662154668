/** What happens after a failure; Flink's strategies with Flink's meaning. */
export type RestartStrategy =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixedDelay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly kind: 'failureRate';
      readonly maxFailures: number;
      readonly intervalMs: number;
      readonly delayMs: number;
    }
  | {
      readonly kind: 'exponentialDelay';
      /** Default 1 000. */
      readonly initialDelayMs?: number;
      /** Default 60 000. */
      readonly maxDelayMs?: number;
      /** Default 1.5. */
      readonly multiplier?: number;
      /** Running so long without failure starts again at the initial delay. Default 3 600 000. */
      readonly resetAfterMs?: number;
      /** Random share added or taken, 0 to 1. Default 0.1. */
      readonly jitter?: number;
      /** Failures before the job fails for good. Default: no limit. */
      readonly attempts?: number;
    };
