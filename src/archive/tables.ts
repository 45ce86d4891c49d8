/** The archive's tables as Kysely sees them. Booleans are 0 and 1, times milliseconds since the epoch. */
export interface ArchiveTables {
  sessions: {
    id: string;
    title: string;
    titled: number;
    status: 'open' | 'closed';
    created_at: number;
    last_activity_at: number;
    turn_count: number;
    /** Sequence number of the last journal line that is reflected here. */
    rev: number;
    /** Size of the journal up to and with that line: where reading goes on when the two have drifted apart. */
    journal_bytes: number;
  };
  turns: {
    session_id: string;
    id: string;
    turn_index: number;
    role: 'user' | 'model' | 'note';
    status: string;
    created_at: number;
    rev: number;
    /** The turn as the contract states it, as JSON. */
    body: string;
  };
}
