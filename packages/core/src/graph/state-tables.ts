import { defaultTrigger, isMerging } from '../function/window-assigners.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import type { Redistribution, TableDescription } from '../state/snapshot.ts';
import { windowPathOf } from './window-path.ts';
import type { OperatorSpec, WindowSpec } from './operator-spec.ts';
import { windowSpecOfJoin } from './window-join-spec.ts';

/** A table of keyed state that an operator declares. */
export interface DeclaredTable extends TableDescription {
  /** Whether it comes with a `migrate` for older versions. */
  readonly canMigrate: boolean;
  /** Kept by Millrace (windows, timers), not declared by the user's function. */
  readonly isInternal: boolean;
}

/** A list of operator state. */
export interface DeclaredList {
  readonly name: string;
  readonly redistribution: Redistribution;
  /** Kept by Millrace (splits, committables), not declared by the user's function. */
  readonly isInternal: boolean;
}

/** All state that an operator declares: what a snapshot of it may hold. */
export interface DeclaredState {
  readonly keyed: readonly DeclaredTable[];
  readonly lists: readonly DeclaredList[];
}

const NONE: DeclaredState = { keyed: [], lists: [] };

/**
 * What an operator of this spec keeps. The restore plan compares it with what a snapshot holds, so
 * it must name exactly what the operators of `task/operator` register; a test holds them together.
 *
 * Cost: O(states).
 */
export function tablesOf(spec: OperatorSpec): DeclaredState {
  switch (spec.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
    case 'assignTimestamps':
      return NONE;
    case 'source':
      return lists(internalList('splits'));
    case 'process':
      return lists(
        ...Object.entries(spec.process.operatorState ?? {}).map(([name, { redistribution }]) => ({
          name,
          redistribution,
          isInternal: false,
        })),
      );
    case 'keyedProcess':
    case 'keyedCoProcess':
      return { keyed: [...declared(spec.process.state), ...timers('timers')], lists: [] };
    case 'keyedReduce':
      return { keyed: [internal('reduced', 'value')], lists: [] };
    case 'keyedBroadcastProcess':
      return {
        keyed: [...declared(spec.process.state), ...timers('timers')],
        lists: [broadcastList(spec.stateName)],
      };
    case 'broadcastProcess':
      return lists(broadcastList(spec.stateName));
    case 'window':
      return windowState(spec.window);
    case 'windowJoin':
      return windowState(windowSpecOfJoin(spec));
    case 'intervalJoin':
      return {
        keyed: [internal('left', 'list'), internal('right', 'list'), ...timers('timers')],
        lists: [],
      };
    case 'mapAsync':
      return lists(internalList('in-flight'));
    case 'sink':
      return lists(internalList('writer'), internalList('committables'));
  }
}

function lists(...declaredLists: DeclaredList[]): DeclaredState {
  return { keyed: [], lists: declaredLists };
}

function internalList(name: string, redistribution: Redistribution = 'split'): DeclaredList {
  return { name, redistribution, isInternal: true };
}

function broadcastList(name: string): DeclaredList {
  return { name, redistribution: 'broadcast', isInternal: false };
}

function declared(descriptors: StateDescriptors | undefined): DeclaredTable[] {
  return Object.entries(descriptors ?? {}).map(([name, { kind, options }]) => ({
    name,
    kind,
    version: options.version ?? 1,
    canMigrate: options.migrate !== undefined,
    isInternal: false,
  }));
}

function internal(name: string, kind: string): DeclaredTable {
  return { name, kind, version: 1, canMigrate: false, isInternal: true };
}

function timers(prefix: string): DeclaredTable[] {
  return [internal(`${prefix}/event`, 'timer'), internal(`${prefix}/processing`, 'timer')];
}

// As in task/window: each path has an operator and tables of its own.
function windowState(window: WindowSpec): DeclaredState {
  const { kind } = window.assigner;
  const aligned = kind === 'tumbling' || kind === 'sliding';
  return {
    keyed: windowTables(window),
    lists: aligned ? [internalList('window-grid', 'union')] : [],
  };
}

function windowTables(window: WindowSpec): DeclaredTable[] {
  switch (windowPathOf(window)) {
    case 'tumbling':
      return [internal('windows', 'window'), internal('windows-fired', 'window')];
    case 'sliding':
      return [internal('slices', 'window')];
    case 'session':
      return [internal('sessions', 'window')];
    case 'general':
      return generalWindowTables(window);
  }
}

// Names as in task/window/window-storage.ts. The window function's states are there twice: per key,
// and per key and window (not for sessions, whose windows merge).
function generalWindowTables({ assigner, trigger, windowFunction }: WindowSpec): DeclaredTable[] {
  const merging = isMerging(assigner);
  const perWindow = merging ? [] : Object.keys(windowFunction?.state ?? {});
  const triggerState = (trigger ?? defaultTrigger(assigner))?.state ?? {};
  return [
    ...declared(windowFunction?.state),
    ...(merging ? [internal('window-bounds', 'window')] : []),
    internal('window-contents', 'window'),
    internal('window-elements', 'window'),
    ...Object.keys(triggerState).map((name) => internal(`trigger/${name}`, 'trigger')),
    ...perWindow.map((name) => internal(`window-state/${name}`, 'window')),
    ...timers('window-timers'),
  ];
}
