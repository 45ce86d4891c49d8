import { z } from 'zod';

/**
 * Ids of sessions and turns. They become file names and keys, so the alphabet is narrow on purpose:
 * no separators, no dots, nothing that a file system or a URL reads in a special way.
 */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'An id has 1 to 64 letters, digits, _ or -');

export const sessionIdSchema = idSchema;
export const turnIdSchema = idSchema;

/** Milliseconds since the Unix epoch. */
export const timeSchema = z.number().int().nonnegative();
