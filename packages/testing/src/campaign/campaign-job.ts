import type { JobDefinition } from '@millrace/core';
import type { VirtualDisk } from '../environment/virtual-disk.ts';
import type { VirtualBroker } from '../servers/virtual-broker.ts';

/** What outlives the processes: where jobs read and write. */
export interface JobWorld {
  readonly disk: VirtualDisk;
  /** null unless the job says that it has topics. */
  readonly broker: VirtualBroker | null;
}

/** A job that a campaign runs, and how to judge it. */
export interface CampaignJob {
  readonly name: string;
  /** Default 1, 2 and 3. A job whose output depends on it gives one. */
  readonly parallelisms?: readonly number[];
  /** Default false; see JobTraits. */
  readonly usesProcessingTime?: boolean;
  /** Default false; see JobTraits. */
  readonly isIdempotent?: boolean;
  /** Of the broker that it writes to or reads from: partitions by name. Default: no broker. */
  readonly topics?: Readonly<Record<string, number>>;
  /** Its checkpoints lie in an object store and not on the disk. Default false. */
  readonly usesObjectStore?: boolean;
  /** Its input holds records behind the watermark. Default false. */
  readonly hasLateRecords?: boolean;
  /** State of the last checkpoint depends on what happened; it is not compared. Default false. */
  readonly hasFreeState?: boolean;
  /** @param inputSize 1 is normal; less while a failing case is made smaller */
  build(inputSize: number, world: JobWorld): JobDefinition;
  /** All that a reader of its output sees, in any order. */
  committed(world: JobWorld): string[];
  /**
   * Judges what was committed, in place of equality with a run without faults (`expected`).
   *
   * @returns one sentence for each thing that is wrong
   */
  judge?(committed: readonly string[], expected: readonly string[], inputSize: number): string[];
}
