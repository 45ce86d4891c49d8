import { createHash } from 'node:crypto';
import type { Turn } from '../contract/index.ts';

/** What of a turn makes it the same turn wherever it is kept. */
export type HashedTurn = Pick<Turn, 'role' | 'createdAt' | 'parts'>;

/**
 * SHA-256 (hex) of what was said and when. The same conversation has the same hash under any id and title; times are
 * in it because short conversations often have the same words. Notes of the connection are not part of it.
 * `undefined` when nothing was said: two empty conversations are not the same one.
 */
export function contentHashOf(turns: Iterable<HashedTurn>): string | undefined {
  const hash = contentHash();
  hash.add(turns);
  return hash.digest();
}

/** The same for turns that come in pages, oldest first. */
export function contentHash(): { add(turns: Iterable<HashedTurn>): void; digest(): string | undefined } {
  const hash = createHash('sha256');
  let said = false;
  return {
    add(turns) {
      for (const { role, createdAt, parts } of turns) {
        if (role === 'note') continue;
        said = true;
        hash.update(`${JSON.stringify([role, createdAt, parts])}\n`);
      }
    },
    digest: () => (said ? hash.digest('hex') : undefined),
  };
}

/** An id in the contract's alphabet that is the same each time for the same names. 128 bits of SHA-256. */
export function idFrom(prefix: string, ...names: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(names)).digest();
  return `${prefix}-${digest.subarray(0, 16).toString('base64url')}`;
}
