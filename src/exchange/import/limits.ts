/** What of a foreign file is held, unpacked or followed at most. Far above what the services export. */
export interface ImportLimits {
  /** Bytes of JSON of one conversation, which is held in memory as a whole. */
  readonly itemBytes: number;
  /** Bytes of a single text. */
  readonly stringBytes: number;
  /** Lists and objects within each other, in one conversation. */
  readonly depth: number;
  /** Files in one zip archive. */
  readonly zipEntries: number;
  /** Bytes that one zip archive may come to when what is wanted of it is unpacked. */
  readonly zipBytes: number;
  /** How many times larger than packed a file of an archive may be. JSON comes to 5 to 30; a bomb to 1,000. */
  readonly zipRatio: number;
  /** Files that unpack to less than this many bytes may have any ratio: a short text of one letter has a high one. */
  readonly zipRatioFrom: number;
}

const MIB = 1024 * 1024;

export const IMPORT_LIMITS: ImportLimits = {
  itemBytes: 256 * MIB,
  stringBytes: 64 * MIB,
  depth: 200,
  zipEntries: 200_000,
  zipBytes: 8 * 1024 * MIB,
  zipRatio: 200,
  zipRatioFrom: 32 * MIB,
};
