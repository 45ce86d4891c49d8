export { setAsideIfDamaged, writeChecked } from './key-value-file.ts';
export type { KeyValueFile } from './key-value-file.ts';
export { lockDataDirectory } from './lock.ts';
export type { DataLock } from './lock.ts';
export { makeDirectory } from './make-directory.ts';
export { storageProblem } from './storage-problems.ts';
