package bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The measured process of the benchmark `state` with Flink and RocksDB: all of Flink in one JVM. It
 * prints the same JSON as benchmarks/state/run-state-job.ts, deletes its files and exits.
 */
public final class StateBench {
  private static final int BATCH = 1_024;
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /** Written by the thread of the source alone, read when it has ended the measurement. */
  static final class Meter {
    static long startedNs, filledNs, filledCpuNs, filledAt;
    static long batchNs;
    static float[] gapsMs = new float[1 << 22];
    static int gaps;
  }

  public static final class Events implements GeneratorFunction<Long, Event> {
    private final StateEvents events;
    private final long keys, seconds;

    Events(StateEvents events, long keys, long seconds) {
      this.events = events;
      this.keys = keys;
      this.seconds = seconds;
    }

    @Override
    public Event map(Long index) throws Exception {
      long n = index;
      if (n == 0) Meter.startedNs = System.nanoTime();
      if (n == keys) {
        Meter.filledNs = Meter.batchNs = System.nanoTime();
        Meter.filledCpuNs = SYSTEM.getProcessCpuTime();
        Meter.filledAt = n;
        System.err.printf("filled %d keys in %d ms%n", n, (Meter.filledNs - Meter.startedNs) / 1_000_000);
      } else if (n > keys && (n - keys) % BATCH == 0) {
        long now = System.nanoTime();
        if (Meter.gaps < Meter.gapsMs.length) Meter.gapsMs[Meter.gaps++] = (now - Meter.batchNs) / 1e6f;
        Meter.batchNs = now;
        if (now - Meter.filledNs > seconds * 1_000_000_000L) finish(n, now);
      }
      return events.at(n);
    }
  }

  static Path folder;

  public static void main(String[] args) throws Exception {
    Arguments options = new Arguments(args);
    folder = Files.createTempDirectory("millrace-bench-flink-");
    Runtime.getRuntime().addShutdownHook(new Thread(StateBench::deleteFolder));
    int keys = (int) options.number("keys");
    KeyDraw draw =
        new KeyDraw(keys, options.text("distribution"), Double.parseDouble(options.text("step")));
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(1, configuration(options));
    Events events =
        new Events(
            new StateEvents(options.text("query"), draw), keys, options.number("seconds"));
    StateJobs.build(
        options.text("query"),
        env.fromSource(
            new DataGeneratorSource<>(events, Long.MAX_VALUE, TypeInformation.of(Event.class)),
            WatermarkStrategy.noWatermarks(),
            "events"));
    env.execute("state");
  }

  static Configuration configuration(Arguments options) {
    Configuration c = new Configuration();
    c.setString("pipeline.object-reuse", "true");
    c.setString("restart-strategy.type", "none");
    c.setString("taskmanager.numberOfTaskSlots", "1");
    c.setString("taskmanager.memory.managed.size", options.number("managedBytes") + "b");
    c.setString("taskmanager.memory.network.min", "16mb");
    c.setString("taskmanager.memory.network.max", "16mb");
    c.setString("state.backend.type", options.text("backend", "rocksdb"));
    c.setString("execution.checkpointing.incremental", "true");
    c.setString("state.backend.rocksdb.localdir", folder.resolve("rocksdb").toString());
    c.setString("execution.checkpointing.storage", "filesystem");
    c.setString("execution.checkpointing.dir", folder.resolve("checkpoints").toUri().toString());
    c.setString("execution.checkpointing.tolerable-failed-checkpoints", "10");
    c.setString("io.tmp.dirs", folder.toString());
    c.setString("execution.checkpointing.interval", options.number("checkpointIntervalMs") + "ms");
    return c;
  }

  /** Prints the result and ends the process, from the thread of the source. */
  static void finish(long n, long nowNs) {
    double cpuSeconds = (SYSTEM.getProcessCpuTime() - Meter.filledCpuNs) / 1e9;
    double seconds = (nowNs - Meter.filledNs) / 1e9;
    double fillSeconds = (Meter.filledNs - Meter.startedNs) / 1e9;
    long measured = n - Meter.filledAt;
    float[] gaps = Arrays.copyOf(Meter.gapsMs, Meter.gaps);
    Arrays.sort(gaps);
    String milestones;
    synchronized (HashSink.MILESTONES) {
      milestones = HashSink.MILESTONES.toString();
    }
    System.out.printf(
        "{\"fillEventsPerSecond\":%.0f,\"eventsPerSecond\":%.0f,\"eventsPerCpuSecond\":%.0f,"
            + "\"batchMsP50\":%.2f,\"batchMsP99\":%.2f,\"batchMsMax\":%.2f,\"heapMaxBytes\":%d,"
            + "\"checkpoints\":%d,\"changedBytes\":0,\"totalBytes\":%d,\"engine\":{},"
            + "\"milestones\":%s}%n",
        Meter.filledAt / fillSeconds,
        measured / seconds,
        measured / cpuSeconds,
        at(gaps, 0.5),
        at(gaps, 0.99),
        at(gaps, 1),
        Runtime.getRuntime().totalMemory(),
        checkpoints(),
        bytesIn(folder.resolve("rocksdb")),
        milestones);
    System.out.flush();
    System.exit(0);
  }

  static float at(float[] sorted, double share) {
    if (sorted.length == 0) return 0;
    return sorted[Math.max(0, (int) Math.ceil(sorted.length * share) - 1)];
  }

  /** The number of the newest checkpoint whose directory is complete; they count from 1. */
  private static long checkpoints() {
    try (Stream<Path> paths = Files.walk(folder.resolve("checkpoints"), 3)) {
      return paths
          .filter(path -> path.getFileName().toString().equals("_metadata"))
          .mapToLong(path -> Long.parseLong(path.getParent().getFileName().toString().substring(4)))
          .max()
          .orElse(0);
    } catch (IOException | RuntimeException error) {
      return 0; // a file that went away while we looked
    }
  }

  private static long bytesIn(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths.map(Path::toFile).filter(java.io.File::isFile).mapToLong(java.io.File::length).sum();
    } catch (IOException | RuntimeException error) {
      return 0;
    }
  }

  private static void deleteFolder() {
    for (int i = 0; i < 20 && Files.exists(folder); i++) {
      try (Stream<Path> paths = Files.walk(folder)) {
        paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(java.io.File::delete);
      } catch (IOException | RuntimeException error) {
        // Tasks that still run may write or delete meanwhile: once more.
      }
    }
  }

  private StateBench() {}
}
