// What users import: the engine. The connectors that need nothing else come along as a dependency.
export * from '@millrace/core';
