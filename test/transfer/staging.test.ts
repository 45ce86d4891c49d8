import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArchive } from '../../src/archive/index.ts';
import type { Archive } from '../../src/archive/index.ts';
import type { Turn } from '../../src/contract/index.ts';
import { journalsIn, syncDirectory } from '../../src/journal/index.ts';
import { reconcile } from '../../src/sessions/index.ts';
import { createStaging } from '../../src/transfer/index.ts';
import type { StagingDisk } from '../../src/transfer/index.ts';
import { closeAfter } from '../support/core.ts';
import { tempDir } from '../support/temp-dir.ts';

const IDS = ['one', 'two', 'three'];

const realDisk: StagingDisk = {
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true })),
  async write(path, text) {
    const file = await open(path, 'wx');
    await file.writeFile(text);
    await file.sync();
    await file.close();
  },
  move: rename,
  sync: syncDirectory,
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** Counts the steps of disk and archive together; from step `failing` on, or only at it, they fail. */
function breaking(archive: Archive, failing: number, how: 'once' | 'for-a-while' | 'for-good') {
  let step = 0;
  const at = async <T>(task: () => Promise<T>): Promise<T> => {
    step += 1;
    const fails = step >= failing && step < failing + FAILURES[how];
    if (fails) throw Object.assign(new Error('No space'), { code: 'ENOSPC' });
    return task();
  };
  const disk = Object.fromEntries(
    Object.entries(realDisk).map(([name, task]) => [
      name,
      (...args: string[]) => at(() => (task as (...args: string[]) => Promise<void>)(...args)),
    ]),
  ) as unknown as StagingDisk;
  return {
    disk,
    archive: {
      replace: (...args: Parameters<Archive['replace']>) => at(() => archive.replace(...args)),
      remove: (id: string) => at(() => archive.remove(id)),
    },
    get steps() {
      return step;
    },
  };
}

const FAILURES = { once: 1, 'for-a-while': 3, 'for-good': Number.POSITIVE_INFINITY };

const turn = (sessionId: string): Turn => ({
  id: 't',
  sessionId,
  index: 1,
  role: 'user',
  parts: [{ type: 'text', text: `Said in ${sessionId}` }],
  status: 'answered',
  createdAt: 1,
  rev: 1,
});

async function folder() {
  const dataDir = tempDir();
  const journalDirectory = join(dataDir, 'journal');
  const directory = join(dataDir, 'import');
  await mkdir(journalDirectory);
  const archive = closeAfter(await openArchive(join(dataDir, 'archive.db')));
  const journals = journalsIn(journalDirectory, Date.now);
  const ports = { directory, journalDirectory, journals, archive, now: () => 7 };
  /** What is here after the next start. */
  const afterStart = async () => {
    const recovered = await createStaging(ports).recover();
    await reconcile({ journals, archive, notify: () => undefined, report: () => undefined });
    const here = (await archive.sessions({ status: 'all', limit: 100 })).sessions.map(({ id }) => id).sort();
    expect(here.toSorted()).toEqual([...(await journals.ids())].sort());
    return { here, recovered: recovered.kind };
  };
  return { ...ports, dataDir, afterStart };
}

async function stage(staging: ReturnType<typeof createStaging>): Promise<void> {
  const { journals } = await staging.begin();
  for (const id of IDS) {
    const { journal } = await journals.open(id, 'create');
    const session = {
      id,
      title: `Title of ${id}`,
      titled: true,
      status: 'closed' as const,
      createdAt: 1,
      lastActivityAt: 2,
      turnCount: 1,
      rev: 1,
    };
    await journal.append({ type: 'session.snapshot', session, turns: [turn(id)] });
    await journal.close();
  }
}

describe('an import that is staged', () => {
  it('is nowhere to be seen before its commit, and does not survive a crash', async () => {
    const { archive, journals, afterStart, ...ports } = await folder();
    await stage(createStaging({ ...ports, archive, journals }));
    expect(await journals.ids()).toEqual([]);
    expect(await afterStart()).toEqual({ here: [], recovered: 'nothing' });
  });

  it('is there after its commit, and leaves nothing behind', async () => {
    const { archive, afterStart, ...ports } = await folder();
    const staging = createStaging({ ...ports, archive });
    await stage(staging);
    const kept: number[] = [];
    await staging.commit(IDS, (done) => kept.push(done));
    expect(kept).toEqual([1, 2, 3]);
    expect(await archive.turns('two', undefined, 10)).toMatchObject([{ parts: [{ text: 'Said in two' }] }]);
    expect(await afterStart()).toEqual({ here: IDS.toSorted(), recovered: 'nothing' });
  });

  it('is there whole or not at all after a crash at any step of the commit', async () => {
    const outcomes = new Set<string>();
    for (let failing = 1; ; failing += 1) {
      const { archive, afterStart, ...ports } = await folder();
      await stage(createStaging({ ...ports, archive }));
      const broken = breaking(archive, failing, 'for-good');
      const committed = await createStaging({ ...ports, ...broken })
        .commit(IDS, () => undefined)
        .then(
          () => true,
          () => false,
        );
      if (committed && broken.steps < failing) break;
      const { here } = await afterStart();
      expect([[], IDS.toSorted()], `step ${failing}`).toContainEqual(here);
      if (committed) expect(here).toHaveLength(IDS.length);
      outcomes.add(here.length === 0 ? 'nothing' : 'all');
    }
    expect(outcomes).toEqual(new Set(['nothing', 'all']));
  });

  it('leaves the state before when one step of the commit fails, also at the next start', async () => {
    let steps = 0;
    for (let failing = 1; ; failing += 1) {
      const { archive, journals, afterStart, ...ports } = await folder();
      await stage(createStaging({ ...ports, archive, journals }));
      const broken = breaking(archive, failing, 'once');
      const staging = createStaging({ ...ports, journals, ...broken });
      const committed = await staging
        .commit(IDS, () => undefined)
        .then(
          () => true,
          () => false,
        );
      if (broken.steps < failing) break;
      steps += 1;
      const expected = committed ? IDS.toSorted() : [];
      expect([...(await journals.ids())].sort(), `step ${failing}`).toEqual(expected);
      expect((await afterStart()).here, `start after step ${failing}`).toEqual(expected);
    }
    expect(steps).toBeGreaterThan(10);
  });

  it('is taken back later where the disk fails while it is taken back', async () => {
    for (let failing = 1; ; failing += 1) {
      const { archive, journals, afterStart, ...ports } = await folder();
      await stage(createStaging({ ...ports, archive, journals }));
      const broken = breaking(archive, failing, 'for-a-while');
      const staging = createStaging({ ...ports, journals, ...broken });
      const committed = await staging
        .commit(IDS, () => undefined)
        .then(
          () => true,
          () => false,
        );
      if (committed && broken.steps < failing) break;
      for (let tries = 0; tries < 4; tries += 1) await staging.recover().catch(() => undefined);
      const expected = committed ? IDS.toSorted() : [];
      expect([...(await journals.ids())].sort(), `step ${failing}`).toEqual(expected);
      expect((await afterStart()).here, `start after step ${failing}`).toEqual(expected);
    }
  });

  it('stays taken back when a crash comes in the middle of that', async () => {
    for (let failing = 1; ; failing += 1) {
      const { archive, directory, journalDirectory, afterStart, ...ports } = await folder();
      const all = { ...ports, directory, journalDirectory, archive };
      await stage(createStaging(all));
      writeFileSync(join(directory, 'undo.json'), JSON.stringify({ sessionIds: IDS }));
      renameSync(join(directory, 'journals', 'one.jsonl'), join(journalDirectory, 'one.jsonl'));
      const broken = breaking(archive, failing, 'for-good');
      const done = await createStaging({ ...all, ...broken })
        .recover()
        .then(
          () => true,
          () => false,
        );
      expect((await afterStart()).here, `step ${failing}`).toEqual([]);
      if (done) break;
    }
  });

  it('brings a session back that was erased before, and leaves one alone that was deleted since', async () => {
    const { archive, journals, directory, afterStart, ...ports } = await folder();
    const staging = createStaging({ ...ports, directory, archive, journals });
    await stage(staging);
    await staging.commit(IDS, () => undefined);
    await archive.remove('two');
    await journals.remove('two');
    await stage(staging);
    // A mark that could not be removed, with a session in its list that is gone by now.
    await rm(join(directory, 'journals'), { recursive: true });
    writeFileSync(join(directory, 'commit.json'), JSON.stringify({ sessionIds: IDS }));
    expect(await afterStart()).toEqual({ here: ['one', 'three'], recovered: 'finished' });
    await stage(staging);
    await rm(join(directory, 'journals', 'one.jsonl'));
    await rm(join(directory, 'journals', 'three.jsonl'));
    await staging.commit(['two'], () => undefined);
    expect((await afterStart()).here).toEqual(IDS.toSorted());
  });

  it('is set aside, not lost, when its mark cannot be read', async () => {
    const { archive, journals, directory, ...ports } = await folder();
    const staging = createStaging({ ...ports, directory, archive, journals });
    await stage(staging);
    writeFileSync(join(directory, 'commit.json'), '{"sessionIds":["on');
    expect(await staging.recover()).toEqual({ kind: 'set-aside', path: `${directory}.damaged-7` });
    expect(await journalsIn(join(`${directory}.damaged-7`, 'journals'), Date.now).ids()).toHaveLength(3);
  });
});
