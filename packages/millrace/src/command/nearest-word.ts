/**
 * The word that was probably meant: the nearest one, if less than half of it is wrong. Pure.
 *
 * Cost: O(words * length^2).
 */
export function nearestWord(wrong: string, words: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const distance = word.startsWith(wrong) && wrong.length > 2 ? 1 : editDistance(wrong, word);
    if (distance < least && distance * 2 < word.length) {
      best = word;
      least = distance;
    }
  }
  return best;
}

/** Insertions, deletions and replacements that make one text of the other (Levenshtein, 1965). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
