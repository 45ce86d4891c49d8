export { openArchive } from './archive.ts';
export type { Archive, ListQuery, SessionPage } from './archive.ts';
export { ForeignArchive } from './migrations.ts';
export { applyEntry, foldEntries, UNTITLED } from './projection.ts';
export type { FoldedSession, PlacedEntry, Projected, SessionRecord } from './projection.ts';
