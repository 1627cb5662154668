// Makes orders, runs the job in this very process, and compares: node examples/orders/demo.ts
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from 'millrace';
import { compareTotals } from './check-totals.ts';
import { generateOrders } from './generate.ts';
import orders from './orders.ts';

const data = fileURLToPath(new URL('../../data', import.meta.url));
const parameters = { input: `${data}/orders`, output: `${data}/order-totals` };

rmSync(parameters.output, { recursive: true, force: true });
generateOrders(parameters.input, { seed: 1, orders: 200_000, files: 10 });
const execution = await run(orders, { parameters });
const { status } = await execution.done;
const {
  orders: count,
  lost,
  doubled,
  differences,
} = compareTotals(parameters.input, parameters.output);
console.log(`${status}: ${count} orders, ${lost} lost, ${doubled} doubled`);
for (const difference of differences) console.log(`  ${difference}`);
process.exitCode = differences.length === 0 ? 0 : 1;
