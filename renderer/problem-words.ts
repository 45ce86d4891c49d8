import type { Problem, ProblemCode } from '../src/contract/index.ts';

/**
 * What had happened to a connection, by the code of its problem: short, in the past tense, and without a word of what to
 * do. A problem's own message says what is to be done now, which is no longer true of a connection that is over.
 */
const HAPPENED: Partial<Record<ProblemCode, string>> = {
  connection_lost: 'The connection was lost',
  network_unreachable: 'The server could not be reached',
  server_silent: 'The server fell silent',
  provider_unavailable: 'Gemini had a fault of its own',
  key_invalid: 'Google did not accept the API key',
  key_expired: 'The API key had expired',
  region_unsupported: 'Google did not offer the Gemini API from here',
  quota_exceeded: 'The quota of the API key was used up',
  model_not_found: 'The model or the address was not found',
  setup_rejected: 'The server did not accept what was sent',
  too_many_dials: 'Holdfast had dialled very often and held back',
  not_known_yet: 'It ended for a reason that is not known yet',
};

/** What happened, in a few words; the problem's message where its code has none. */
export function happenedWords(problem: Problem): string {
  return HAPPENED[problem.code] ?? problem.message;
}

/** What the other side said, as it came, for whoever wants to know or to report it. `null`: it said nothing. */
export function rawWords({ context = {} }: Problem): string | null {
  const { closeCode, httpStatus, errno, reason } = context;
  const code = [
    closeCode !== undefined && `Close code ${closeCode}`,
    httpStatus !== undefined && `HTTP ${httpStatus}`,
    errno !== undefined && String(errno),
  ].filter((word) => word !== false);
  const said = [code.join(', '), reason === undefined ? '' : String(reason)].filter((word) => word !== '');
  return said.length === 0 ? null : said.join(': ');
}

/** The problems that another key mends. */
const OF_THE_KEY: ReadonlySet<ProblemCode> = new Set(['key_invalid', 'key_expired', 'quota_exceeded']);

export function isOfTheKey(code: ProblemCode): boolean {
  return OF_THE_KEY.has(code);
}

/** The name of the button to the settings, and what is to be done there about a problem of this code. */
export function settingsStepWords(code: ProblemCode): { readonly name: string; readonly says: string } {
  switch (code) {
    case 'quota_exceeded':
      return { name: 'Use another key', says: 'A key of another project has a quota of its own. Paste it there.' };
    case 'key_invalid':
    case 'key_expired':
      return { name: 'Open settings', says: 'Paste another key there. Holdfast then connects by itself.' };
    case 'setup_rejected':
      return { name: 'Open settings', says: 'Choose another model there.' };
    default:
      return { name: 'Open settings', says: 'The model and the address are there.' };
  }
}

/** Where a key that came from the environment is changed. */
export const keyFixedWords = 'The key comes from the environment. Change it there and start Holdfast again.';

/** What trying again is good for. */
export function tryAgainWords(code: ProblemCode): string {
  switch (code) {
    case 'quota_exceeded':
      return 'Connects at once when the quota has been renewed or raised.';
    case 'region_unsupported':
      return 'Connects when this device reaches Google from a place where it offers the API.';
    default:
      return 'Tries to connect once more.';
  }
}
