import { join } from 'node:path';
import type { Archive } from '../archive/index.ts';
import type { CoreEvent, Problem } from '../contract/index.ts';
import type { Journals } from '../journal/index.ts';
import type { Conversations } from './conversations.ts';
import { createExports } from './exports.ts';
import type { Exports } from './exports.ts';
import { createImports } from './imports.ts';
import type { Imports } from './imports.ts';
import { createStaging } from './staging.ts';
import type { Staging } from './staging.ts';

export { storedConversations } from './conversations.ts';
export type { Conversations } from './conversations.ts';
export type { ExportRequest, Exports } from './exports.ts';
export type { ImportRequest, Imports, LocalImport } from './imports.ts';
export { createStaging, foldJournal } from './staging.ts';
export type { Recovered, Staging, StagingDisk, StagingPorts } from './staging.ts';

/** Conversations on their way out of this data folder and into it. */
export interface Transfer {
  readonly exports: Exports;
  readonly imports: Imports;
}

export interface TransferPorts {
  readonly sessions: Conversations;
  readonly journals: Journals;
  readonly staging: Staging;
  readonly dataDir: string;
  /** Whatever a link once kept under this id is of another conversation. */
  readonly forgetLive: (sessionId: string) => void;
  readonly publish: (event: CoreEvent) => void;
  readonly report: (what: string, facts: Readonly<Record<string, string | number>>) => void;
  /** Of Holdfast. */
  readonly version: string;
}

export function createTransfer(ports: TransferPorts): Transfer {
  return {
    exports: createExports({ sessions: ports.sessions, version: ports.version, now: Date.now }),
    imports: createImports({ ...ports, now: Date.now }),
  };
}

/** Where imports of a data folder are made before they count. */
export function stagingIn(dataDir: string, journals: Journals, archive: Archive): Staging {
  const journalDirectory = join(dataDir, 'journal');
  return createStaging({ directory: join(dataDir, 'import'), journalDirectory, journals, archive, now: Date.now });
}

/**
 * Brings an import that a crash cut short to its end, or takes it back. To be done before anything reads the journals or
 * decides what is left over.
 */
export async function recoverImport(
  staging: Staging,
  notify: (problem: Problem) => void,
  report: (what: string, facts: Readonly<Record<string, string | number>>) => void,
): Promise<void> {
  const recovered = await staging.recover();
  switch (recovered.kind) {
    case 'nothing':
      return;
    case 'finished':
    case 'taken-back':
      report(`An import that was cut short was ${recovered.kind}`, { sessions: recovered.sessionIds.length });
      return;
    case 'set-aside':
      notify({
        code: 'state_set_aside',
        message:
          'An import was cut short, and its list cannot be read. What had come of it was set aside; import the file again.',
        retry: 'user',
        context: { setAside: recovered.path },
      });
  }
}
