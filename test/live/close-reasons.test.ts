import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../src/contract/index.ts';
import { problemSchema } from '../../src/contract/index.ts';
import { problemFrom } from '../../src/live/index.ts';
import type { ConnectionEnd } from '../../src/live/index.ts';

/** What a close frame has room for beside its code (RFC 6455, 5.5). */
const REASON_MAX_BYTES = 123;
const LONG_MODEL = `gemini-${'x'.repeat(93)}`;

type Row = readonly [code: number, reason: string, means: ProblemCode, retry: 'automatic' | 'user'];

/** The endings that were seen on real connections, in full. */
const SEEN: readonly Row[] = [
  [1000, 'The operation was cancelled.', 'connection_lost', 'automatic'],
  [1006, '', 'connection_lost', 'automatic'],
  [1007, 'Request contains an invalid argument.', 'setup_rejected', 'user'],
  [1007, 'API key not valid. Please pass a valid API key.', 'key_invalid', 'user'],
  [1007, 'API key expired. Please renew the API key.', 'key_expired', 'user'],
  [1007, 'User location is not supported for the API use.', 'region_unsupported', 'user'],
  [1008, 'The operation was aborted.', 'connection_lost', 'automatic'],
  [
    1008,
    'Connection aborted: client failed to close the connection after receiving a GoAway signal once the time left expired.',
    'connection_lost',
    'automatic',
  ],
  [
    1008,
    'The connection was closed because the client, for whatever reason it may have had, failed to close the connection after receiving a GoAway signal.',
    'connection_lost',
    'automatic',
  ],
  [1008, 'Operation is not implemented, or supported, or enabled.', 'setup_rejected', 'user'],
  [1008, 'Requested entity was not found.', 'model_not_found', 'user'],
  [
    1008,
    'models/gemini-9 is not found for API version v1beta, or is not supported for bidiGenerateContent. Call ListModels to see the list of available models and their supported methods.',
    'model_not_found',
    'user',
  ],
  [
    1008,
    `models/${LONG_MODEL} is not found for API version v1beta, or is not supported for bidiGenerateContent.`,
    'model_not_found',
    'user',
  ],
  [1011, 'Deadline expired before operation could complete.', 'provider_unavailable', 'automatic'],
  [1011, 'Internal error encountered.', 'provider_unavailable', 'automatic'],
  [1011, 'The service is currently unavailable.', 'provider_unavailable', 'automatic'],
  [
    1011,
    'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.',
    'quota_exceeded',
    'user',
  ],
];

const cut = (reason: string) => Buffer.from(reason).subarray(0, REASON_MAX_BYTES).toString('utf8');
const meaningOf = (end: ConnectionEnd) => {
  const { code, retry } = problemFrom(end);
  return { code, retry };
};

describe('the close of a connection', () => {
  it.each(SEEN)('%i “%s” means %s, mended by: %s', (code, reason, means, retry) => {
    expect(meaningOf({ kind: 'closed', code, reason })).toEqual({ code: means, retry });
    expect(meaningOf({ kind: 'closed', code, reason: cut(reason) })).toEqual({ code: means, retry });
  });

  it.each(SEEN.filter(([code]) => code !== 1006))(
    '%i “%s” is read by its words, whatever its code',
    (_, reason, means) => {
      for (const code of [1000, 1006, 1007, 1008, 1011, 1013, 4000]) {
        expect(problemFrom({ kind: 'closed', code, reason: cut(reason) }).code).toBe(means);
      }
    },
  );

  it.each([
    [1000, 'connection_lost'],
    [1001, 'connection_lost'],
    [1005, 'connection_lost'],
    [1006, 'connection_lost'],
    [1011, 'provider_unavailable'],
    [1012, 'connection_lost'],
    [1013, 'connection_lost'],
  ] as const)('%i without words means %s and mends itself', (code, means) => {
    expect(meaningOf({ kind: 'closed', code, reason: '' })).toEqual({ code: means, retry: 'automatic' });
  });

  it.each([
    [1007, '', 'user'],
    [1008, '', 'user'],
    [1007, 'Words that nobody has seen yet', 'user'],
    [1008, 'Words that nobody has seen yet', 'user'],
    [1000, 'Words that nobody has seen yet', 'automatic'],
    [1011, 'Words that nobody has seen yet', 'automatic'],
    [1009, '', 'automatic'],
    [4242, '', 'automatic'],
  ] as const)('%i “%s” is not known yet, says so, and keeps the words', (code, reason, retry) => {
    const problem = problemFrom({ kind: 'closed', code, reason });
    expect(problem).toMatchObject({ code: 'not_known_yet', retry, context: { closeCode: code } });
    expect(problem.context?.['reason']).toBe(reason === '' ? undefined : reason);
  });

  it('is not taken for something fatal because its words mention it in passing', () => {
    const reason = 'Try later: no API key not valid here, and you exceeded your current quota is not why.';
    expect(problemFrom({ kind: 'closed', code: 1011, reason }).retry).toBe('automatic');
  });
});

const google = (status: number, message: string, reason?: string) =>
  JSON.stringify({
    error: {
      code: status,
      message,
      status: 'INVALID_ARGUMENT',
      ...(reason && { details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason }] }),
    },
  });

describe('a refused upgrade', () => {
  const rows: readonly [number, string, ProblemCode, 'automatic' | 'user'][] = [
    [200, '<html>Welcome to the hotel</html>', 'network_unreachable', 'automatic'],
    [302, '', 'network_unreachable', 'automatic'],
    [400, google(400, 'API key not valid. Please pass a valid API key.', 'API_KEY_INVALID'), 'key_invalid', 'user'],
    [400, google(400, 'API key expired. Please renew the API key.'), 'key_expired', 'user'],
    [400, google(400, 'User location is not supported for the API use.'), 'region_unsupported', 'user'],
    [400, '', 'key_invalid', 'user'],
    [401, '', 'key_invalid', 'user'],
    [403, '', 'key_invalid', 'user'],
    [403, google(403, 'Your API key was reported as leaked. Please use another API key.'), 'key_invalid', 'user'],
    [404, '', 'model_not_found', 'user'],
    [404, '<html>404</html>', 'model_not_found', 'user'],
    [407, '', 'network_unreachable', 'automatic'],
    [418, 'teapot', 'not_known_yet', 'automatic'],
    [429, google(429, 'You exceeded your current quota, please check your plan.'), 'quota_exceeded', 'user'],
    [429, '', 'quota_exceeded', 'user'],
    [500, '', 'provider_unavailable', 'automatic'],
    [502, '<html>Bad Gateway</html>', 'provider_unavailable', 'automatic'],
    [503, google(503, 'The service is currently unavailable.'), 'provider_unavailable', 'automatic'],
    [504, '', 'provider_unavailable', 'automatic'],
    [511, '<html>Sign in to this network</html>', 'network_unreachable', 'automatic'],
  ];
  it.each(rows)('with %i %j means %s, mended by: %s', (status, body, code, retry) => {
    expect(meaningOf({ kind: 'refused', status, body })).toEqual({ code, retry });
    expect(problemFrom({ kind: 'refused', status, body }).context).toMatchObject({ httpStatus: status });
  });

  it.each(['', '{', 'null', '[]', '{"error":7}', '{"error":{"message":{}}}', 'x'.repeat(100_000)])(
    'with the body %j is read without fuss and kept short',
    (body) => {
      const problem = problemFrom({ kind: 'refused', status: 503, body });
      expect(problem.code).toBe('provider_unavailable');
      expect(String(problem.context?.['reason'] ?? '').length).toBeLessThanOrEqual(300);
    },
  );
});

describe('a failed dial', () => {
  it.each([
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
  ])('by %s is a network that cannot be reached, and mends itself', (errno) => {
    expect(problemFrom({ kind: 'failed', errno })).toMatchObject({
      code: 'network_unreachable',
      retry: 'automatic',
      context: { errno },
    });
  });

  it.each(['CERT_HAS_EXPIRED', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Invalid WebSocket frame'])(
    'by %s is not known yet and is tried again',
    (errno) => {
      expect(meaningOf({ kind: 'failed', errno })).toEqual({ code: 'not_known_yet', retry: 'automatic' });
    },
  );
});

it('silence of the server is said to be that', () => {
  expect(problemFrom({ kind: 'silent', waitedMs: 10_000 })).toMatchObject({
    code: 'server_silent',
    retry: 'automatic',
    context: { waitedMs: 10_000 },
  });
});

it('every end comes to a problem that the contract carries, in words that end', () => {
  const ends: ConnectionEnd[] = [
    ...SEEN.map(([code, reason]): ConnectionEnd => ({ kind: 'closed', code, reason })),
    ...[200, 302, 400, 401, 403, 404, 407, 418, 429, 500, 503].map((status): ConnectionEnd => ({
      kind: 'refused',
      status,
      body: 'x',
    })),
    { kind: 'failed', errno: 'ENOTFOUND' },
    { kind: 'failed', errno: 'EWHATEVER' },
    { kind: 'silent', waitedMs: 1 },
  ];
  for (const end of ends) {
    const problem = problemSchema.parse(problemFrom(end));
    expect(problem.message).toMatch(/^[A-Z].*\.$/);
    expect(problem.message).not.toContain('!');
  }
});
