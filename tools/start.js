// Plain old JavaScript: must load on every Node, to say which one is needed.
// node tools/start.js <script.ts> [arguments]: runs a script of ours if this Node can.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Millrace needs Node 24 or newer, and this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Run "npm ci" (it brings Node 24 into node_modules), then use npm: "npm test", "npm run demo".',
  );
  process.exitCode = 4;
} else {
  const script = resolve(process.argv[2]);
  process.argv.splice(1, 2, script);
  import(pathToFileURL(script).href);
}
