import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.hdfs.server.namenode.NameNodeAdapter;

/**
 * NameNode and DataNode in one process, for tests: MiniHdfs DIRECTORY HTTP_PORT RPC_PORT, or
 * MiniHdfs DIRECTORY HTTP_PORT RPC_PORT SECOND_HTTP_PORT SECOND_RPC_PORT for an active and a
 * standby NameNode. Prints READY; then one command per line of standard input, each answered by a
 * line "OK" or "FAILED ...". Ends with its input.
 */
public final class MiniHdfs {
  private static final PrintStream ANSWERS = System.out;
  private final MiniDFSCluster cluster;

  private MiniHdfs(MiniDFSCluster cluster) {
    this.cluster = cluster;
  }

  public static void main(String[] arguments) throws Exception {
    // What Hadoop logs must not come between the answers, nor fill the pipe that they go through.
    System.setOut(System.err);
    String directory = arguments[0];
    int httpPort = Integer.parseInt(arguments[1]);
    int rpcPort = Integer.parseInt(arguments[2]);
    Configuration configuration = new Configuration();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, directory);
    configuration.setBoolean("dfs.permissions.enabled", true);
    configuration.set("dfs.client.block.write.replace-datanode-on-failure.policy", "NEVER");
    // A file is closed when the NameNode has heard of its last block; how soon to ask again.
    configuration.setInt("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", 10);
    // Quotas by bytes count whole blocks while a file is written.
    configuration.setLong("dfs.blocksize", 1 << 20);
    configuration.setLong("dfs.namenode.fs-limits.min-block-size", 1 << 16);
    boolean isFresh = !new File(directory, "formatted").exists();
    MiniDFSCluster.Builder builder =
        new MiniDFSCluster.Builder(configuration)
            .numDataNodes(1)
            .format(isFresh)
            .checkDataNodeAddrConfig(false);
    boolean isPair = arguments.length > 3;
    if (isPair) {
      MiniDFSNNTopology.NSConf pair = new MiniDFSNNTopology.NSConf("pair");
      pair.addNN(new MiniDFSNNTopology.NNConf("one").setHttpPort(httpPort).setIpcPort(rpcPort));
      pair.addNN(
          new MiniDFSNNTopology.NNConf("two")
              .setHttpPort(Integer.parseInt(arguments[3]))
              .setIpcPort(Integer.parseInt(arguments[4])));
      builder.nnTopology(new MiniDFSNNTopology().addNameservice(pair));
    } else {
      builder.nameNodePort(rpcPort).nameNodeHttpPort(httpPort);
    }
    MiniDFSCluster cluster = builder.build();
    if (isPair) cluster.transitionToActive(0);
    cluster.waitActive(0);
    // Whatever is in the directory without this mark is a start that broke off.
    new File(directory, "formatted").createNewFile();
    ANSWERS.println("READY");
    new MiniHdfs(cluster).serve();
  }

  private void serve() throws Exception {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        ANSWERS.println(carryOut(line.trim().split(" ")));
      } catch (Exception error) {
        ANSWERS.println("FAILED " + error.toString().replace('\n', ' '));
      }
    }
    System.exit(0);
  }

  private String carryOut(String[] words) throws Exception {
    switch (words[0]) {
      case "safemode":
        if (words[1].equals("on")) NameNodeAdapter.enterSafeMode(cluster.getNameNode(0), false);
        else NameNodeAdapter.leaveSafeMode(cluster.getNameNode(0));
        return "OK";
      case "quota": // quota PATH NAMES BYTES; -1: none
        cluster
            .getFileSystem(0)
            .setQuota(new Path(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3]));
        return "OK";
      case "datanode":
        if (words[1].equals("stop")) stopped = cluster.stopDataNode(0);
        else if (!cluster.restartDataNode(stopped, false)) return "FAILED no restart";
        else cluster.waitActive(0);
        return "OK";
      case "failover":
        cluster.transitionToStandby(Integer.parseInt(words[1]));
        cluster.transitionToActive(Integer.parseInt(words[2]));
        return "OK";
      default:
        return "FAILED no such command";
    }
  }

  private MiniDFSCluster.DataNodeProperties stopped;
}
