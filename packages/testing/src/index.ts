// What users and the tests of this project import from `@millrace/testing`.
export {
  crashEverywhere,
  type CrashEverywhereOptions,
  runSimulation,
  type SimulationOptions,
  type SimulationResult,
} from './environment/run-simulation.ts';
export { SeededRandom } from './environment/seeded-random.ts';
export { SimulationStuckError } from './environment/simulation-errors.ts';
export { Trace } from './environment/trace.ts';
export { VirtualDisk } from './environment/virtual-disk.ts';
export {
  type LoggedMessage,
  VirtualEnvironment,
  type VirtualEnvironmentOptions,
} from './environment/virtual-environment.ts';
export {
  type FileCall,
  type FileFault,
  VirtualFileSystem,
} from './environment/virtual-file-system.ts';
export type { VirtualTimeOptions } from './environment/virtual-scheduler.ts';
