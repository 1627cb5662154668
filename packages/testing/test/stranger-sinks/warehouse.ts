import type { Environment } from '@millrace/core/host';
import { remoteCall } from '@millrace/testing';

/** A stand-in for a database: staged batches that nobody sees, and a table that everybody sees. */
export class Warehouse {
  readonly staged = new Map<string, string[]>();
  readonly merged = new Set<string>();
  readonly table: string[] = [];

  /** Adds rows to a staged batch; makes it if it is not there. */
  stage(caller: Environment, batch: string, rows: readonly string[]): Promise<void> {
    return remoteCall(caller, () => {
      this.staged.set(batch, [...(this.staged.get(batch) ?? []), ...rows]);
    });
  }

  /** Publishes rows. With a name: once, however often it is called. @returns false if it was */
  insert(caller: Environment, rows: readonly string[], once?: string): Promise<boolean> {
    return remoteCall(caller, () => {
      if (once !== undefined && this.merged.has(once)) return false;
      if (once !== undefined) this.merged.add(once);
      this.table.push(...rows);
      return true;
    });
  }

  /** Publishes a staged batch. @returns false if there is none */
  merge(caller: Environment, batch: string): Promise<boolean> {
    return remoteCall(caller, () => {
      const rows = this.staged.get(batch);
      if (rows === undefined) return false;
      this.staged.delete(batch);
      this.table.push(...rows);
      return true;
    });
  }

  drop(caller: Environment, batch: string): Promise<void> {
    return remoteCall(caller, () => void this.staged.delete(batch));
  }

  batches(caller: Environment): Promise<string[]> {
    return remoteCall(caller, () => [...this.staged.keys()]);
  }
}
