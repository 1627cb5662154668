import { AssertionError, assertNever } from '../../base/assert.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import { createAssignTimestamps } from './assign-timestamps.ts';
import { createWindowOperator } from '../window/window-operator.ts';
import { createBroadcastProcess } from './broadcast-process.ts';
import { createIntervalJoin } from './interval-join.ts';
import { createKeyedBroadcastProcess } from './keyed-broadcast-process.ts';
import { createKeyedCoProcess } from './keyed-co-process.ts';
import { createKeyedProcess } from './keyed-process.ts';
import { createKeyedReduce } from './keyed-reduce.ts';
import { createMapAsync } from './map-async.ts';
import type { Operator } from './operator.ts';
import { createProcess } from './process.ts';
import { createWindowJoin } from './window-join.ts';

/**
 * Makes the runtime object of an operator.
 *
 * @throws AssertionError for sources and sinks, which their tasks make, and for map, filter and
 *   flatMap, which are no objects but part of a chain
 */
export function createOperator(spec: OperatorSpec): Operator {
  switch (spec.kind) {
    case 'keyedProcess':
      return createKeyedProcess(spec);
    case 'keyedReduce':
      return createKeyedReduce(spec);
    case 'process':
      return createProcess(spec);
    case 'keyedCoProcess':
      return createKeyedCoProcess(spec);
    case 'keyedBroadcastProcess':
      return createKeyedBroadcastProcess(spec);
    case 'broadcastProcess':
      return createBroadcastProcess(spec);
    case 'mapAsync':
      return createMapAsync(spec);
    case 'assignTimestamps':
      return createAssignTimestamps(spec);
    case 'window':
      return createWindowOperator(spec.window);
    case 'intervalJoin':
      return createIntervalJoin(spec);
    case 'windowJoin':
      return createWindowJoin(spec);
    case 'source':
    case 'sink':
    case 'map':
    case 'filter':
    case 'flatMap':
      throw new AssertionError(`there is no operator object of kind ${spec.kind}`, {
        invariant: 'sources, sinks and stateless functions are made by the chain',
      });
    default:
      return assertNever(spec);
  }
}
