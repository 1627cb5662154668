// What users import: the whole engine and the connectors that need nothing else.
export * from '@millrace/core';
export * from '@millrace/connectors';
