package bench;

/** Twin of benchmarks/nexmark/mixing.ts: the same 32-bit arithmetic. */
public final class Mixing {
  public static int mix32(int h) {
    h = (h ^ (h >>> 16)) * 0x21f0aaad;
    h = (h ^ (h >>> 15)) * 0x735a2d97;
    return h ^ (h >>> 15);
  }

  /** Draw k (1, 2, ...) of the event whose own hash is `event`. */
  public static int draw(int event, int k) {
    return mix32(event + k * 0x9e3779b9);
  }

  public static int hashOf(int seed, long n) {
    int high = n < 4_294_967_296L ? seed : mix32(seed ^ (int) (n >>> 32));
    return mix32((int) n ^ high);
  }

  public static int addInt(int hash, int value) {
    return mix32(hash ^ value) + 0x5bd1e995;
  }

  public static int addLong(int hash, long value) {
    return addInt(addInt(hash, (int) value), (int) (value >>> 32));
  }

  public static int addString(int hash, String text) {
    return addInt(hash, text.hashCode());
  }

  private Mixing() {}
}
