// Every second job of the list, from the first on: two files, so that two processes can share the
// work when every step is crashed.
import { SIMULATED_JOBS } from './simulated-jobs.ts';
import { testCrashes } from './test-crashes.ts';

for (const simulated of SIMULATED_JOBS.filter((_, index) => index % 2 === 0)) {
  testCrashes(simulated);
}
