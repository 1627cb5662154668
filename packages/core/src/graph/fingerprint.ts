import { tablesOf } from './state-tables.ts';
import type { StreamGraph } from './stream-graph.ts';

/**
 * A hash of a graph's structure: kinds, given uids, edges with their partitioning, and the state
 * that functions declare. Not of the functions themselves, sizes, chaining, or the names of
 * stateless operators. Threads compare it to be sure that they built the same graph; a checkpoint
 * records it. It does not decide whether state fits: that is done by uid and table.
 *
 * @returns 16 hexadecimal digits
 *
 * Cost: O(nodes + edges).
 */
export function fingerprintOf(graph: StreamGraph): string {
  const positions = new Map(graph.nodes.map((node, position) => [node.uid, position]));
  const structure = [
    graph.nodes.map(({ uid, hasExplicitUid, spec }) => {
      const { keyed, lists } = tablesOf(spec);
      return [
        spec.kind,
        hasExplicitUid ? uid : null,
        keyed
          .filter((table) => !table.isInternal)
          .map(({ name, kind, version }) => [name, kind, version]),
        lists
          .filter((list) => !list.isInternal)
          .map(({ name, redistribution }) => [name, redistribution]),
      ];
    }),
    graph.edges.map(({ from, to, input, partitioning, sideOutput }) => [
      positions.get(from),
      positions.get(to),
      input,
      partitioning.kind === 'custom' ? ['custom', partitioning.name] : partitioning.kind,
      sideOutput,
    ]),
  ];
  return hash64(JSON.stringify(structure)).toString(16).padStart(16, '0');
}

// FNV-1a with 64 bits over UTF-16 code units. Nobody attacks a fingerprint; 64 bits make a chance
// collision of two graphs of one job impossible in practice.
function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = BigInt.asUintN(64, (hash ^ BigInt(unit & 0xff)) * 0x100000001b3n);
    hash = BigInt.asUintN(64, (hash ^ BigInt(unit >>> 8)) * 0x100000001b3n);
  }
  return hash;
}
