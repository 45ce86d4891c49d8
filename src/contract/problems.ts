import { z } from 'zod';

/**
 * Everything that a user, a network, a disk or a provider can cause, by name.
 * Branch on the code, never on the words.
 */
export const problemCodes = [
  // what a client asked for
  'invalid_input',
  'too_large',
  'session_not_found',
  'turn_not_found',
  'nothing_to_stop',
  'busy',
  'host_unreachable',
  'internal',
  // storage
  'disk_full',
  'disk_read_only',
  'disk_failed',
  'journal_damaged',
  'state_set_aside',
  'data_dir_unusable',
  'secrets_unavailable',
  'second_instance',
  'port_taken',
  // the provider and the way to it
  'connection_lost',
  'network_unreachable',
  'server_silent',
  'provider_unavailable',
  'key_invalid',
  'key_expired',
  'region_unsupported',
  'quota_exceeded',
  'model_not_found',
  'setup_rejected',
  'answer_cut',
  'too_many_dials',
  'turn_rejected',
  'not_known_yet',
] as const;

export const problemCodeSchema = z.enum(problemCodes);
export type ProblemCode = z.infer<typeof problemCodeSchema>;

export const problemSchema = z.object({
  code: problemCodeSchema,
  /** One or two sentences in plain words: what happened and what to do. */
  message: z.string(),
  /** Who mends it: we, by ourselves; the user; or nobody. */
  retry: z.enum(['automatic', 'user', 'never']),
  /** Raw facts for a report (close code, raw reason, path). Never secrets. */
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** The one typed error of every procedure: `error.data` is the `Problem`. */
export const problemErrors = {
  PROBLEM: { status: 422, message: 'The request could not be carried out', data: problemSchema },
} as const;

/** What can fail by a user, a disk or a network is a value; only bugs are thrown. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function failed<T>(problem: Problem): Result<T> {
  return { ok: false, problem };
}
