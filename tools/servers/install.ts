// Installs the servers of the tests, those that are not there yet: node tools/servers/install.ts
//
// Some minutes the first time. `.ci/run` starts it beside the first stages.
import { installMiniHdfs } from './hdfs/mini-hdfs.ts';
import { serverCache } from './installed.ts';
import { versitygwProgram } from './versitygw.ts';

const installations: readonly (readonly [name: string, install: () => Promise<string>])[] = [
  ['HDFS', installMiniHdfs],
  ['versitygw (S3)', versitygwProgram],
];

console.log(`servers for tests are kept in ${serverCache(process.env)}`);
for (const [name, install] of installations) {
  const startMs = performance.now();
  try {
    await install();
    console.log(`${name}: installed (${((performance.now() - startMs) / 1_000).toFixed(1)} s)`);
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
