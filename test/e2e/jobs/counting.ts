import { datagen, fileSink, jsonLinesOut } from '@millrace/connectors';
import { job } from 'millrace';

/** What the job reads: numbers in turn. */
interface Numbered {
  readonly number: number;
}

/** Copies numbers into files, `rate` a second, without end or up to `count`. */
export default job('counting', (flow, { output = 'output', rate = '2000', count }) => {
  flow
    .from(
      'numbers',
      datagen<Numbered>({
        make: (number) => ({ number }),
        ratePerSecond: Number(rate),
        ...(count === undefined ? {} : { count: Number(count) }),
      }),
    )
    .to(
      'copy',
      fileSink({
        directory: output,
        format: jsonLinesOut<Numbered>(),
        rolling: 'onCheckpoint',
      }),
    );
});
