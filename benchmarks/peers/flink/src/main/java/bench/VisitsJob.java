package bench;

import java.io.FileWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Twin of benchmarks/recovery: every pass visits each key once; the first pass at full speed, from
 * then on `rate` visits a second by the wall clock. What happens is told by lines of JSON, appended
 * to a file: --keys --rate --folder
 */
public final class VisitsJob {
  /** Visit `n`, and what came of it. */
  public static class Visit {
    public long n, key, count;
    public int check;
  }

  /** A key's state. */
  public static class Visited {
    public long count;
    public int check;
    public byte[] payload;
  }

  public static void main(String[] args) throws Exception {
    Arguments options = new Arguments(args);
    long keys = options.number("keys"), rate = options.number("rate");
    String folder = options.text("folder");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.getConfig().enableObjectReuse();
    env.fromSource(
            new DataGeneratorSource<>(
                new Visits(keys, rate, folder), Long.MAX_VALUE, Types.POJO(Visit.class)),
            WatermarkStrategy.noWatermarks(),
            "visits")
        .uid("visits")
        .keyBy(visit -> visit.key, Types.LONG)
        .process(new Count())
        .uid("count")
        .sinkTo(new Checked(keys, rate, folder))
        .uid("results");
    env.execute("visits");
  }

  /** When the measured time began: kept in a file, since it must survive a kill. */
  static long originMs(String folder, boolean isNow) throws IOException {
    Path path = Path.of(folder, "origin");
    if (isNow && !Files.exists(path)) Files.writeString(path, "" + System.currentTimeMillis());
    return Files.exists(path) ? Long.parseLong(Files.readString(path)) : 0;
  }

  static final class Visits implements GeneratorFunction<Long, Visit> {
    private final long keys, rate;
    private final String folder;
    private transient long originMs;

    Visits(long keys, long rate, String folder) {
      this.keys = keys;
      this.rate = rate;
      this.folder = folder;
    }

    @Override
    public Visit map(Long index) throws Exception {
      long n = index;
      if (n >= keys) {
        if (originMs == 0) originMs = originMs(folder, true);
        long dueMs = originMs + (n - keys) * 1_000 / rate;
        while (System.currentTimeMillis() < dueMs) Thread.sleep(1);
      }
      Visit visit = new Visit();
      visit.n = n;
      visit.key = n % keys * 7_919 % keys;
      return visit;
    }
  }

  static final class Count extends KeyedProcessFunction<Long, Visit, Visit> {
    private transient ValueState<Visited> visited;

    @Override
    public void open(OpenContext context) {
      visited =
          getRuntimeContext().getState(new ValueStateDescriptor<>("visited", Visited.class));
    }

    @Override
    public void processElement(Visit visit, Context context, Collector<Visit> out)
        throws Exception {
      Visited before = visited.value();
      Visited after = new Visited();
      after.count = before == null ? 1 : before.count + 1;
      after.check = before == null ? Mixing.mix32((int) visit.key) : before.check;
      after.payload = before == null ? payloadOf((int) visit.key) : before.payload;
      visited.update(after);
      Visit result = new Visit();
      result.n = visit.n;
      result.key = visit.key;
      result.count = after.count;
      result.check = after.check;
      out.collect(result);
    }

    private static byte[] payloadOf(int key) {
      byte[] payload = new byte[1_000];
      int hash = key;
      for (int i = 0; i < payload.length; i += 4) {
        hash = Mixing.mix32(hash + 1);
        for (int j = 0; j < 4; j++) payload[i + j] = (byte) (hash >>> 8 * j);
      }
      return payload;
    }
  }

  /** Looks at every result; tells the first, the first new one, and when it has caught up. */
  static final class Checked implements Sink<Visit> {
    private final long keys, rate;
    private final String folder;

    Checked(long keys, long rate, String folder) {
      this.keys = keys;
      this.rate = rate;
      this.folder = folder;
    }

    @Override
    public SinkWriter<Visit> createWriter(WriterInitContext context) throws IOException {
      PrintWriter log = new PrintWriter(new FileWriter(folder + "/events.jsonl", true), true);
      RandomAccessFile file = new RandomAccessFile(folder + "/progress", "rw");
      MappedByteBuffer progress = file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 8);
      long newFrom = progress.getLong(0) + 1;
      tell(log, "opened", newFrom);
      return new SinkWriter<>() {
        private boolean hasFirst, hasNew, isFilled, isCaughtUp;
        private long originMs;

        @Override
        public void write(Visit visit, Context context) throws IOException {
          boolean isRight =
              visit.key == visit.n % keys * 7_919 % keys
                  && visit.count == visit.n / keys + 1
                  && visit.check == Mixing.mix32((int) visit.key);
          if (!isRight) tell(log, "wrong", visit.n);
          progress.putLong(0, visit.n);
          if (!hasFirst) {
            hasFirst = true;
            tell(log, "firstOutput", visit.n);
          }
          if (!hasNew && visit.n >= newFrom) {
            hasNew = true;
            tell(log, "newOutput", visit.n);
          }
          if (visit.n < keys || isCaughtUp) return;
          if (originMs == 0) originMs = originMs(folder, false);
          long dueMs = originMs + (visit.n + 1 - keys) * 1_000 / rate;
          if (originMs == 0 || System.currentTimeMillis() - dueMs > 2) return;
          isCaughtUp = true;
          tell(log, "caughtUp", visit.n);
        }

        @Override
        public void flush(boolean endOfInput) {}

        @Override
        public void close() throws IOException {
          log.close();
          file.close();
        }
      };
    }

    private static void tell(PrintWriter log, String event, long n) {
      long atMs = System.currentTimeMillis();
      log.printf("{\"event\":\"%s\",\"n\":%d,\"atMs\":%d}%n", event, n, atMs);
    }
  }

  private VisitsJob() {}
}
