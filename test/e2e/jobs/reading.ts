import {
  fileSink,
  fileSource,
  jsonLines,
  jsonLinesOut,
  type OnMalformed,
} from '@millrace/connectors';
import { job, type } from 'millrace';

/** A line of the input. */
export interface Numbered {
  readonly number: number;
}

/** Copies lines of files in `input` to `output`; what it cannot read goes to `dead-letters`. */
export default job('reading', (flow, { onMalformed = 'fail', failAt, failEarlyAt }) => {
  const lines = flow.from(
    'lines',
    fileSource({
      directory: 'input',
      format: jsonLines<Numbered>(),
      onMalformed: onMalformed as OnMalformed,
    }),
  );
  const failIf = (number: number, at: string | undefined): void => {
    if (String(number) === at) throw new RangeError(`${number} is one too many`);
  };
  lines
    .map((line) => {
      failIf(line.number, failEarlyAt);
      return line;
    })
    .keyBy((line) => line.number % 3)
    .process('check', {
      output: type<Numbered>(),
      onRecord(line, { emit }) {
        failIf(line.number, failAt);
        emit(line);
      },
    })
    .to('copy', fileSink({ directory: 'output', format: jsonLinesOut<Numbered>() }));
  if (onMalformed === 'dead-letter') {
    lines.deadLetters().to('dead', fileSink({ directory: 'dead-letters', format: jsonLinesOut() }));
  }
});
