// Checkpoints in HDFS, over the WebHDFS protocol of its NameNodes and DataNodes.
export {
  openWebHdfsStorage,
  type WebHdfsOptions,
  webHdfsStorageOf,
} from './open-web-hdfs-storage.ts';
