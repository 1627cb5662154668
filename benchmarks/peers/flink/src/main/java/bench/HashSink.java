package bench;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Twin of benchmarks/result-hash.ts: one running hash over the results, in their order. */
public class HashSink<T> implements Sink<T> {
  /** Adds one result to the hash. */
  public interface Add<T> extends Serializable {
    int apply(int hash, T value);
  }

  private static final int MILESTONE = 50_000;

  /** Of the one sink of this process. Read by other threads. */
  static final List<Integer> MILESTONES = new ArrayList<>();
  static volatile long results;
  static volatile int hash;

  private final Add<T> add;

  public HashSink(Add<T> add) {
    this.add = add;
  }

  @Override
  public SinkWriter<T> createWriter(WriterInitContext context) {
    return new SinkWriter<>() {
      private long count;
      private int running;

      @Override
      public void write(T value, Context context) {
        running = add.apply(running, value);
        if (++count % MILESTONE != 0) return;
        synchronized (MILESTONES) {
          MILESTONES.add(running);
        }
      }

      @Override
      public void flush(boolean endOfInput) {
        results = count;
        hash = running;
      }

      @Override
      public void close() {}
    };
  }
}
