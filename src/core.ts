import { randomBytes, randomUUID } from 'node:crypto';
import { accessSync, constants, copyFileSync, renameSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createEventLog, createRouter } from './api/index.ts';
import type { CoreRouter } from './api/index.ts';
import { ForeignArchive, openArchive } from './archive/index.ts';
import type { Archive } from './archive/index.ts';
import { failed, ok } from './contract/index.ts';
import type { Notice, Problem, Result } from './contract/index.ts';
import { journalsIn } from './journal/index.ts';
import { defaultLinkConfig, dial, systemClock } from './live/index.ts';
import type { Endpoint } from './live/index.ts';
import type { Logger } from './log.ts';
import { createDemoProvider, geminiEndpoint } from './providers/index.ts';
import { createSessions, openLiveSessions, reconcile, SEAL_KEY_BYTES } from './sessions/index.ts';
import type { Seal } from './sessions/index.ts';
import { createSettings } from './settings/index.ts';
import type { SecretStore } from './settings/index.ts';
import { lockDataDirectory, makeDirectory, setAsideIfDamaged, storageProblem } from './storage/index.ts';
import type { KeyValueFile } from './storage/index.ts';
import { createTransfer, recoverImport, stagingIn } from './transfer/index.ts';

export type { CoreRouter, KeyValueFile, SecretStore };

export interface CoreOptions {
  readonly host: 'desktop' | 'browser';
  readonly version: string;
  /** Made if it is not there. */
  readonly dataDir: string;
  /** `HOLDFAST_GEMINI_API_KEY`, `HOLDFAST_GEMINI_BASE_URL` and `HOLDFAST_GEMINI_MODEL` are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens `<directory>/<name>.json` with the host's library: electron-store or conf. */
  readonly openKeyValueFile: (name: 'live-state' | 'settings', directory: string) => KeyValueFile;
  readonly secrets: SecretStore;
  readonly log: Logger;
}

export interface Core {
  readonly router: CoreRouter;
  /** The machine woke from sleep: connections that look alive may not be. */
  wake(): void;
  /** Ends all links, waits for the disk, gives the data directory back. */
  close(): Promise<void>;
}

export type OpenedCore = Result<Core>;

const MINUTE_MS = 60_000;
const LEAVES_CUT_ANSWERS = { ...defaultLinkConfig, goOn: false };

/** How many notices are kept for clients that come later. */
const NOTICES_KEPT = 50;

/**
 * Opens the core on a data directory: takes it for this process, brings the archive to where the journals are, and
 * goes on with what the last run left unfinished. What a user can cause (second instance, unusable folder, an archive
 * of a newer version) comes back as a problem; nothing is changed then.
 */
export async function openCore(options: CoreOptions): Promise<OpenedCore> {
  const { dataDir, log } = options;
  const startedAt = Date.now();
  const usable = prepareDirectory(dataDir);
  if (!usable.ok) return usable;
  const locked = lockDataDirectory(dataDir, options.host);
  if (!locked.ok) return failed(notStarted(locked.problem, dataDir));
  const lock = locked.value;

  const events = createEventLog({ run: randomBytes(6).toString('hex') });
  const notices: Notice[] = [];
  const notify = (problem: Problem) => {
    // Its words may name a conversation: the code and the raw facts are what a log is for.
    log.warn({ code: problem.code, context: problem.context }, 'Notice');
    // The same trouble again and again is one notice, told once.
    if (notices.at(-1)?.problem.message === problem.message) return;
    const notice = { id: randomUUID(), at: Date.now(), problem };
    notices.push(notice);
    if (notices.length > NOTICES_KEPT) notices.shift();
    events.publish({ type: 'notice', notice });
  };
  const report = (what: string, facts: object) => log.info(facts, what);

  const openFile = (name: 'live-state' | 'settings'): KeyValueFile => {
    const { setAside } = setAsideIfDamaged(join(dataDir, `${name}.json`), startedAt);
    if (setAside !== undefined) notify(damagedState(name, setAside));
    return options.openKeyValueFile(name, dataDir);
  };

  try {
    const opened = openArchiveOrRebuild(join(dataDir, 'archive.db'), startedAt, notify);
    if (!opened.ok) {
      lock.release();
      return failed(notStarted(opened.problem, dataDir));
    }
    const archive = opened.value;
    const demo = createDemoProvider();
    const settings = createSettings({
      file: openFile('settings'),
      secrets: options.secrets,
      env: options.env,
      publish: events.publish,
      changed: () => sessions.refreshLinks(),
      notify,
    });
    const endpoint = async (): Promise<Endpoint> => {
      const { model, baseUrl, key } = await settings.connection();
      return key === undefined ? demo.endpoint(model) : geminiEndpoint(baseUrl, key, model);
    };
    const liveSessions = openLiveSessions({
      file: openFile('live-state'),
      clock: systemClock,
      timeoutMs: () => settings.current.timeoutMinutes * MINUTE_MS,
      seal: await sealFrom(options.secrets),
      // What happens at every turn is for whoever looks closely.
      on: (event, sessionId) =>
        log[event === 'refreshed' || event === 'updated' ? 'debug' : 'info']({ event, sessionId }, 'Live session'),
      persistFailed: (error) => notify(storageProblem(error)),
      foreign() {
        const path = join(dataDir, 'live-state.json');
        const setAside = `${path}.damaged-${startedAt}`;
        copyFileSync(path, setAside);
        notify(damagedState('live-state', setAside));
      },
    });
    let online = true;
    const journalDirectory = join(dataDir, 'journal');
    makeDirectory(journalDirectory);
    const journals = journalsIn(journalDirectory, Date.now);
    const sessions = createSessions({
      journals,
      archive,
      liveSessions,
      online: () => online,
      endpoint,
      dial,
      clock: systemClock,
      random: Math.random,
      newId: randomUUID,
      linkConfig: () => (settings.current.cutAnswers === 'go-on' ? defaultLinkConfig : LEAVES_CUT_ANSWERS),
      publish: events.publish,
      notify,
      report,
    });
    const staging = stagingIn(dataDir, journals, archive);
    await recoverImport(staging, notify, report);
    await reconcile({ journals, archive, notify, report });
    await sessions.resumeUnfinished();
    const unwatch = watchInterfaces(() => sessions.wake());
    const { host, version } = options;
    log.info({ host, version, dataDir, ms: Date.now() - startedAt }, 'The core is open');
    const transfer = createTransfer({
      sessions,
      journals,
      staging,
      dataDir,
      forgetLive: liveSessions.end,
      publish: events.publish,
      report,
      version,
    });
    const router = createRouter({
      sessions,
      transfer,
      settings,
      events,
      notices: () => notices,
      network(now) {
        online = now;
        sessions.network(now);
      },
      info: { version, host, platform: process.platform, dataDir, startedAt },
    });
    return ok({
      router,
      wake: () => sessions.wake(),
      async close() {
        unwatch();
        await transfer.imports.end();
        await sessions.end();
        liveSessions.close();
        events.close();
        await demo.close();
        await archive.close();
        lock.release();
        log.info({}, 'The core is closed');
        log.flush?.();
      },
    });
  } catch (error) {
    lock.release();
    log.error({ error: String(error), stack: (error as Error).stack }, 'The core could not be opened');
    return failed(notStarted(storageProblem(error), dataDir));
  }
}

/** What keeps a turn from being kept keeps Holdfast from starting, too; but then nothing was sent. */
function notStarted(problem: Problem, dataDir: string): Problem {
  if (!problem.code.startsWith('disk_')) return problem;
  const why =
    problem.code === 'disk_full'
      ? 'the disk is full. Free some space'
      : problem.code === 'disk_read_only'
        ? 'it may not write there. Check the folder’s permissions'
        : 'the disk reported an error. Check the disk';
  return {
    ...problem,
    message: `Holdfast could not start with its data folder ${dataDir}: ${why}, and start it again. Nothing was lost.`,
  };
}

const SEAL_KEY = 'live-state-key';

/** The key that seals handles at rest, where the host's secrets are guarded by a keystore. */
async function sealFrom(secrets: SecretStore): Promise<Seal | undefined> {
  if (!secrets.encrypted) return undefined;
  try {
    const known = await secrets.get(SEAL_KEY);
    if (known !== undefined) return { key: Buffer.from(known, 'base64') };
    const key = randomBytes(SEAL_KEY_BYTES);
    await secrets.set(SEAL_KEY, key.toString('base64'));
    return { key };
  } catch {
    // Without the keystore handles are kept as they are; losing them would cost more than it protects.
    return undefined;
  }
}

const INTERFACES_EVERY_MS = 5_000;

/** Calls back when the machine's network interfaces change. Returns its undo. */
function watchInterfaces(changed: () => void): () => void {
  const look = () =>
    JSON.stringify(
      Object.entries(networkInterfaces()).map(([name, addresses]) => [name, addresses?.map(({ address }) => address)]),
    );
  let known = look();
  const timer = setInterval(() => {
    const now = look();
    if (now === known) return;
    known = now;
    changed();
  }, INTERFACES_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function prepareDirectory(dataDir: string): Result<true> {
  try {
    makeDirectory(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok(true);
  } catch (error) {
    return failed({
      code: 'data_dir_unusable',
      message: `Holdfast cannot write to its data folder ${dataDir}. Give yourself the right to, or choose another with --data-dir.`,
      retry: 'user',
      context: { dataDir, error: (error as Error).message },
    });
  }
}

/** An archive that cannot be read is set aside and made again from the journals; one of a newer version is left alone. */
function openArchiveOrRebuild(path: string, now: number, notify: (problem: Problem) => void): Result<Archive> {
  try {
    return ok(openArchive(path));
  } catch (error) {
    if (error instanceof ForeignArchive) {
      return failed({
        code: 'data_dir_unusable',
        message: `${error.message}. Start that version, or choose another folder with --data-dir.`,
        retry: 'user',
      });
    }
    const problem = storageProblem(error);
    if (problem.code !== 'disk_failed') return failed(problem);
  }
  const aside = `${path}.damaged-${now}`;
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      renameSync(`${path}${suffix}`, `${aside}${suffix}`);
    } catch {
      // Not every archive has the files beside it.
    }
  }
  try {
    const archive = openArchive(path);
    notify({
      code: 'state_set_aside',
      message:
        'The archive was damaged. It was made again from the records of your conversations; nothing of them is lost.',
      retry: 'never',
      context: { setAside: aside },
    });
    return ok(archive);
  } catch (error) {
    return failed(storageProblem(error));
  }
}

function damagedState(name: 'live-state' | 'settings', setAside: string): Problem {
  return {
    code: 'state_set_aside',
    message:
      name === 'settings'
        ? 'The settings file could not be read. It was set aside and the defaults are in use; your conversations are untouched.'
        : 'The file with the live state could not be read. It was set aside; your conversations are untouched and go on from their history.',
    retry: 'never',
    context: { setAside },
  };
}
