// The failing example of docs/guide/simulate.md: it counts in a variable, of which no checkpoint
// knows.
import { fileSink, fileSource, jsonLines, linesOut } from '@millrace/connectors';
import { job } from '@millrace/core';

interface Sale {
  readonly shop: string;
}

export default job('forgetful', (flow) => {
  const counts = new Map<string, number>();
  flow
    .from('sales', fileSource<Sale>({ directory: 'sales', format: jsonLines() }))
    .map(({ shop }) => {
      counts.set(shop, (counts.get(shop) ?? 0) + 1);
      return `${shop} ${counts.get(shop)}`;
    })
    .parallelism(1)
    .to('out', fileSink({ directory: 'numbered', format: linesOut() }));
});
