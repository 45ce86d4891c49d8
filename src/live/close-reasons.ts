import type { Problem, ProblemCode } from '../contract/index.ts';

/** How a connection ended, as far as this side can know. */
export type ConnectionEnd =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The upgrade was answered with something else than a WebSocket. */
  | { readonly kind: 'refused'; readonly status: number; readonly body: string }
  /** No answer at all: the error of the operating system. */
  | { readonly kind: 'failed'; readonly errno: string }
  /** Our own watch ran out. */
  | { readonly kind: 'silent'; readonly waitedMs: number };

interface Row {
  /** The reason is cut at 123 bytes on the wire, so the beginning is what is matched. */
  readonly match: RegExp;
  readonly problem: Omit<Problem, 'context'>;
}

const ACT = { retry: 'user' } as const;
const WAIT = { retry: 'automatic' } as const;

/** The provider's words, in one place. First match wins. Source: close reasons seen on real connections. */
const REASONS: readonly Row[] = [
  {
    match: /^API key not valid|API_KEY_INVALID|reported as leaked/i,
    problem: {
      code: 'key_invalid',
      message: 'Google does not accept this API key. Paste another one in the settings.',
      ...ACT,
    },
  },
  {
    match: /^API key expired/i,
    problem: {
      code: 'key_expired',
      message: 'This API key has expired. Make a new one and paste it in the settings.',
      ...ACT,
    },
  },
  {
    match: /^User location is not supported/i,
    problem: {
      code: 'region_unsupported',
      message: 'Google does not offer the Gemini API where you are. A key does not change that.',
      ...ACT,
    },
  },
  {
    match: /^You exceeded your current quota|RESOURCE_EXHAUSTED|^Quota exceeded/i,
    problem: {
      code: 'quota_exceeded',
      message: 'The quota of this API key is used up. Wait for it to be renewed, or raise it with Google.',
      ...ACT,
    },
  },
  {
    // A long model name leaves room for no more than this within 123 bytes.
    match: /^models\/\S+ is not f|is not supported for bidiGenerateContent|^Requested entity was not found/i,
    problem: {
      code: 'model_not_found',
      message: 'This model cannot be talked to live, or no longer exists. Choose another in the settings.',
      ...ACT,
    },
  },
  {
    match: /^Operation is not implemented, or supported, or enabled/i,
    problem: {
      code: 'setup_rejected',
      message: 'The model does not support something that was asked of it. Choose another model in the settings.',
      ...ACT,
    },
  },
  {
    match: /^Request contains an invalid argument/i,
    problem: {
      code: 'setup_rejected',
      message: 'The server did not accept what was sent. Start again, or choose another model in the settings.',
      ...ACT,
    },
  },
  {
    match: /^The service is currently unavailable|^Internal error encountered|^Deadline expired/i,
    problem: {
      code: 'provider_unavailable',
      message: 'Gemini has a fault of its own at the moment. Holdfast tries again by itself.',
      ...WAIT,
    },
  },
  {
    match: /^The operation was (cancelled|aborted)|failed to close the connection/i,
    problem: {
      code: 'connection_lost',
      message: 'The server ended the connection. Holdfast connects again by itself.',
      ...WAIT,
    },
  },
];

const LOST: Omit<Problem, 'context'> = {
  code: 'connection_lost',
  message: 'The connection was lost. Holdfast connects again by itself.',
  ...WAIT,
};

/** Close codes that come without words we know. Source: RFC 6455 section 7.4.1 and what was seen. */
const CODES: ReadonlyMap<number, Omit<Problem, 'context'>> = new Map([
  [1000, LOST],
  [1001, LOST],
  [1005, LOST],
  [1006, LOST],
  [1012, LOST],
  [1013, LOST],
  [
    1011,
    {
      code: 'provider_unavailable',
      message: 'Gemini has a fault of its own at the moment. Holdfast tries again by itself.',
      ...WAIT,
    },
  ],
]);

const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'ECONNRESET',
  'EPIPE',
]);

/** What the end of a connection means and who mends it. An unknown reason is said to be unknown and kept as it came. */
export function problemFrom(end: ConnectionEnd): Problem {
  switch (end.kind) {
    case 'closed': {
      const context = { closeCode: end.code, ...(end.reason && { reason: end.reason }) };
      const known = rowFor(end.reason) ?? (end.reason === '' || end.code === 1006 ? CODES.get(end.code) : undefined);
      return { ...(known ?? unknown(end.code === 1007 || end.code === 1008)), context };
    }
    case 'refused': {
      const context = { httpStatus: end.status, ...(end.body && { reason: end.body.slice(0, 300) }) };
      return { ...(rowFor(messageOf(end.body)) ?? statusProblem(end.status)), context };
    }
    case 'failed': {
      const reachable = !UNREACHABLE.has(end.errno);
      return {
        ...(reachable
          ? unknown(false)
          : {
              code: 'network_unreachable' as const,
              message: 'The server cannot be reached. Check the network; Holdfast tries again by itself.',
              ...WAIT,
            }),
        context: { errno: end.errno },
      };
    }
    case 'silent':
      return {
        code: 'server_silent',
        message: 'The server accepted the connection and then said nothing. Holdfast tries again by itself.',
        ...WAIT,
        context: { waitedMs: end.waitedMs },
      };
  }
}

function rowFor(reason: string): Omit<Problem, 'context'> | undefined {
  return REASONS.find(({ match }) => match.test(reason))?.problem;
}

function statusProblem(status: number): Omit<Problem, 'context'> {
  if (status === 400 || status === 401 || status === 403) return problemOf('key_invalid');
  if (status === 404) return WRONG_ADDRESS;
  if (status === 429) return problemOf('quota_exceeded');
  if (status < 400 || status === 407 || status === 511) return IN_BETWEEN;
  if (status >= 500) return CODES.get(1011)!;
  return unknown(false);
}

/** The problem of the row that has this code. */
function problemOf(code: ProblemCode): Omit<Problem, 'context'> {
  return REASONS.find(({ problem }) => problem.code === code)!.problem;
}

const WRONG_ADDRESS: Omit<Problem, 'context'> = {
  code: 'model_not_found',
  message: 'The server has nothing at this address. Check the base URL and the model in the settings.',
  ...ACT,
};

/** Google answers an upgrade with 101 or an error; a page or a redirect comes from something in between. */
const IN_BETWEEN: Omit<Problem, 'context'> = {
  code: 'network_unreachable',
  message:
    'Something between here and the server answered in its place: a proxy, or the sign-in page of a network. Open a web page to see; Holdfast tries again by itself.',
  ...WAIT,
};

function unknown(fatal: boolean): Omit<Problem, 'context'> {
  return {
    code: 'not_known_yet',
    message: fatal
      ? 'The server ended the connection for a reason that Holdfast does not know yet. Try again; the details are kept.'
      : 'The connection ended for a reason that Holdfast does not know yet. It tries again by itself; the details are kept.',
    retry: fatal ? 'user' : 'automatic',
  };
}

/** Google's HTTP errors are `{"error": {"message": …}}`. */
function messageOf(body: string): string {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof parsed.error?.message === 'string' ? parsed.error.message : body;
  } catch {
    return body;
  }
}
