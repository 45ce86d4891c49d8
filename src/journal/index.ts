export { journalEntrySchema } from './entries.ts';
export type { JournalEntry } from './entries.ts';
export { journalsIn } from './journals.ts';
export type { Journals } from './journals.ts';
export { loadJournal, openJournal, removeJournal, setJournalAside, syncDirectory } from './journal.ts';
export type { Journal, JournalFile, OpenedJournal, OpenFile, Place, Position } from './journal.ts';
export type { JournalLine } from './line.ts';
export type { Damage, JournalContent } from './read.ts';
