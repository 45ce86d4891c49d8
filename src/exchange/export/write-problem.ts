import type { Problem } from '../../contract/index.ts';

/** Marks an error as one of writing: what reading the conversations rejects with is not ours to explain. */
class WriteFailed extends Error {}

/** Runs a step that writes. */
export async function onDisk<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new WriteFailed('Writing failed', { cause: error });
  }
}

/** What a user is told of a step that failed; `undefined` when it was none that writes. */
export function writeProblem(error: unknown): Problem | undefined {
  if (!(error instanceof WriteFailed)) return undefined;
  const { code, path, message } = (error.cause ?? {}) as { code?: unknown; path?: unknown; message?: unknown };
  const context = { error: String(message), ...(typeof path === 'string' && { path }) };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      code: 'disk_full',
      message: 'The disk is full, so nothing was exported. Free some space, or choose another disk, and export again.',
      retry: 'user',
      context,
    };
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return {
      code: 'disk_read_only',
      message: 'Holdfast may not write there, so nothing was exported. Choose another folder.',
      retry: 'user',
      context,
    };
  }
  return {
    code: 'disk_failed',
    message:
      'The export could not be written, and what was written of it was removed. Choose another place, or try again.',
    retry: 'user',
    context,
  };
}
