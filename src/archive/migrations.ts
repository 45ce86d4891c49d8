import type { DatabaseSync } from 'node:sqlite';

/** The file is there but is not an archive that this version can use. */
export class ForeignArchive extends Error {}

/** In order; a released step is never changed, only followed by another. */
const STEPS: readonly string[] = [
  `CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     titled INTEGER NOT NULL CHECK (titled IN (0, 1)),
     status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
     created_at INTEGER NOT NULL,
     last_activity_at INTEGER NOT NULL,
     turn_count INTEGER NOT NULL CHECK (turn_count >= 0),
     rev INTEGER NOT NULL CHECK (rev >= 0),
     journal_bytes INTEGER NOT NULL CHECK (journal_bytes >= 0)
   ) STRICT;
   CREATE INDEX sessions_by_activity ON sessions (last_activity_at DESC, id);
   CREATE INDEX sessions_by_status ON sessions (status, last_activity_at DESC, id);
   CREATE TABLE turns (
     session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
     id TEXT NOT NULL,
     turn_index INTEGER NOT NULL CHECK (turn_index >= 1),
     role TEXT NOT NULL CHECK (role IN ('user', 'model', 'note')),
     status TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     rev INTEGER NOT NULL,
     body TEXT NOT NULL CHECK (json_valid(body)),
     PRIMARY KEY (session_id, id),
     UNIQUE (session_id, turn_index)
   ) STRICT;
   CREATE INDEX turns_unfinished ON turns (session_id) WHERE status IN ('streaming', 'queued', 'sent');`,
];

/** The file's schema version. Throws `ForeignArchive` for one that is newer than this program; changes nothing. */
export function schemaVersion(sqlite: DatabaseSync, path: string): number {
  const { user_version: version } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version <= STEPS.length) return version;
  throw new ForeignArchive(
    `${path} was written by a newer Holdfast (schema ${version}, this one knows ${STEPS.length})`,
  );
}

/** Brings the schema from `version` to this program's, each step in a transaction of its own. */
export function migrate(sqlite: DatabaseSync, version: number): void {
  STEPS.slice(version).forEach((step, index) => {
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      sqlite.exec(step);
      sqlite.exec(`PRAGMA user_version = ${version + index + 1}`);
      sqlite.exec('COMMIT');
    } catch (error) {
      sqlite.exec('ROLLBACK');
      throw error;
    }
  });
}
