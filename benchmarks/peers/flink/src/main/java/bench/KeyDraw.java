package bench;

import java.io.Serializable;

/** Twin of benchmarks/state/key-draw.ts. */
public final class KeyDraw implements Serializable {
  private static final int STEPS = 65_536;
  public final int keys;
  private final boolean isUniform;
  private final double[] ranks = new double[STEPS + 1];

  /** @param step keys to the power of 1 / 65 536, as the other side has computed it */
  public KeyDraw(int keys, String distribution, double step) {
    this.keys = keys;
    this.isUniform = distribution.equals("uniform");
    double power = 1;
    for (int i = 0; i <= STEPS; i++) {
      ranks[i] = Math.min(power - 1, keys - 1);
      power *= step;
    }
  }

  public long rank(long n) {
    int chance = Mixing.draw(Mixing.hashOf(0x51ab, n), 1);
    if (isUniform) return (chance >>> 1) % keys;
    int at = chance >>> 16;
    double low = ranks[at];
    return (long) (low + (ranks[at + 1] - low) * (chance & 0xffff) / STEPS);
  }

  public static long idOfRank(long rank) {
    return Mixing.mix32((int) rank) & 0xffffffffL;
  }
}
