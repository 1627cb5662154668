// Counts how often each edge of each protocol's state machine is taken, in this process.
const counts = new Map<string, number>();

/** One more time. */
export function countEdge(machine: string, edge: string): void {
  const name = `${machine}: ${edge}`;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** All that were taken, and forgets them. */
export function takeEdges(): [string, number][] {
  const taken = [...counts];
  counts.clear();
  return taken;
}
