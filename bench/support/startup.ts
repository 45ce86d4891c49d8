import { end, newFolder, start, startHost } from './processes.ts';

/** Milliseconds from the spawn to the line that says that it is ready, each time on an empty folder; beside a bare Node. */
export async function benchStartup(starts: number): Promise<{ readonly ready: number[]; readonly bareNode: number[] }> {
  const ready: number[] = [];
  const bareNode: number[] = [];
  for (let n = 0; n < starts; n += 1) {
    const host = await startHost(newFolder());
    ready.push(host.readyMs);
    await end(host.child);
    const bare = await start(['-e', 'console.log(1)']);
    bareNode.push(bare.readyMs);
    await end(bare.child);
  }
  return { ready, bareNode };
}
