export { setAsideIfDamaged, writeChecked } from './key-value-file.ts';
export type { KeyValueFile } from './key-value-file.ts';
export { lockDataDirectory } from './lock.ts';
export type { DataLock } from './lock.ts';
export { storageProblem } from './storage-problems.ts';
