import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import type { SqliteDatabase } from 'kysely';
import { ForeignArchive, migrate, schemaVersion } from './migrations.ts';
import type { ArchiveTables } from './tables.ts';

/** Marks a file as ours: "HFst" in the header's `application_id`. */
const APPLICATION_ID = 0x48467374;
const BUSY_TIMEOUT_MS = 2_000;

export interface OpenedDatabase {
  readonly db: Kysely<ArchiveTables>;
  /** Brings everything from the write-ahead log into the file and empties the log. */
  checkpoint(): void;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the archive's SQLite file: WAL, foreign keys on.
 * Throws `ForeignArchive` for a file of another program or of a newer version, SQLite's own error otherwise.
 */
export function openDatabase(path: string): OpenedDatabase {
  const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const owner = pragma(sqlite, 'application_id');
    const empty = pragma(sqlite, 'page_count') === 0;
    if (!empty && owner !== APPLICATION_ID) throw new ForeignArchive(`${path} belongs to another program`);
    const version = schemaVersion(sqlite, path);
    // What is deleted is overwritten: a conversation that is deleted for good must not be left in the file.
    // A power cut may take the last commits, never the file's consistency: their marks go with them, and the next start
    // reads again from the journals, which are synced before anyone is told of anything.
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;');
    if (empty) sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(sqlite, version);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  const db = new Kysely<ArchiveTables>({ dialect: new SqliteDialect({ database: adapted(sqlite) }) });
  return {
    db,
    checkpoint: () => sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    async close() {
      await db.destroy();
      // Kysely closes only what it has used.
      if (sqlite.isOpen) sqlite.close();
    },
  };
}

/** `node:sqlite` in the shape that Kysely's own dialect drives. Statements are prepared once and kept. */
function adapted(sqlite: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, ReturnType<SqliteDatabase['prepare']>>();
  return {
    close: () => sqlite.close(),
    prepare(sql) {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      const statement = sqlite.prepare(sql);
      const made = {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as never[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as never[])),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as never[])),
      };
      statements.set(sql, made as never);
      return made as never;
    },
  };
}

function pragma(sqlite: DatabaseSync, name: string): number {
  return Number(Object.values(sqlite.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
