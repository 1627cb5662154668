import { StreamError } from '../../base/errors.ts';
import type { WindowAssigner } from '../../function/window.ts';
import type { JsonObject } from '../../state/snapshot.ts';
import type { OperatorListState } from '../../state/operator-state.ts';
import type { OperatorContext } from '../operator/operator.ts';

/** A snapshot holds windows that were cut by another size, slide or offset. */
export class WindowChangedError extends StreamError<{ operatorUid: string }> {
  static override readonly code = 'WINDOW_CHANGED';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** Plain JSON, one per subtask; every subtask gets all of them back. */
interface GridElement extends JsonObject {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
  readonly firstKeyGroup: number;
  readonly lastKeyGroup: number;
  /** null before the first watermark, and at the end of input, when nothing is left. */
  readonly watermarkMs: number | null;
}

/**
 * What the operators of aligned windows keep beside their entries (list `window-grid`): how windows
 * are cut, because entries are found by one bound only, and how far they had fired.
 */
export class WindowGridState {
  readonly #grid: Pick<GridElement, 'sizeMs' | 'slideMs' | 'offsetMs'>;
  readonly #list: OperatorListState<GridElement>;
  readonly #restored: readonly GridElement[];
  readonly #context: OperatorContext;

  /** @throws WindowChangedError if what is restored was cut differently */
  constructor(
    assigner: Extract<WindowAssigner, { readonly kind: 'tumbling' | 'sliding' }>,
    context: OperatorContext,
  ) {
    const { sizeMs, offsetMs } = assigner;
    const slideMs = assigner.kind === 'sliding' ? assigner.slideMs : sizeMs;
    this.#grid = { sizeMs, slideMs, offsetMs };
    this.#context = context;
    this.#list = context.operatorState.list<GridElement>('window-grid', 'union');
    this.#restored = this.#list.get();
    for (const old of this.#restored) {
      if (old.sizeMs === sizeMs && old.slideMs === slideMs && old.offsetMs === offsetMs) continue;
      throw changed(context.operatorUid, old, this.#grid);
    }
  }

  /** The watermark of the snapshot for a key group; -Infinity if nothing had fired. */
  firedMs(keyGroup: number): number {
    for (const { firstKeyGroup, lastKeyGroup, watermarkMs } of this.#restored) {
      if (keyGroup < firstKeyGroup || keyGroup > lastKeyGroup) continue;
      return watermarkMs ?? Number.NEGATIVE_INFINITY;
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** In the turn of a barrier. */
  snapshot(watermarkMs: number): void {
    const { first, last } = this.#context.keyed.keyGroupRange;
    const element: GridElement = {
      ...this.#grid,
      firstKeyGroup: first,
      lastKeyGroup: last,
      watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : null,
    };
    this.#list.update([element]);
  }
}

function changed(
  operatorUid: string,
  old: GridElement,
  now: Pick<GridElement, 'sizeMs' | 'slideMs' | 'offsetMs'>,
): WindowChangedError {
  const text = ({ sizeMs, slideMs, offsetMs }: typeof now): string =>
    `size ${sizeMs} ms, slide ${slideMs} ms, offset ${offsetMs} ms`;
  return new WindowChangedError(
    `the windows of operator "${operatorUid}" were cut with ${text(old)}, now with ${text(now)}`,
    { operatorUid },
    { hint: 'Stop the old job with drain, or give the operator a new name and drop its state.' },
  );
}
