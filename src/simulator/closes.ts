/** How a connection is ended by the server: RFC 6455 code and reason. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** RFC 6455, 5.5: a control frame holds 125 bytes, two of which are the code. */
const REASON_LIMIT_BYTES = 123;

/**
 * Cuts a reason at 123 bytes of UTF-8 without splitting a character, as the wire does (and as `ws` demands).
 */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason, 'utf8');
  if (bytes.length <= REASON_LIMIT_BYTES) return reason;
  let end = REASON_LIMIT_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString('utf8');
}

/**
 * Every ending seen on real connections, by name. The wording matters: clients tell the cases apart by it.
 */
export const closes = {
  cancelled: { code: 1000, reason: 'The operation was cancelled.' },
  invalidArgument: { code: 1007, reason: 'Request contains an invalid argument.' },
  keyInvalid: { code: 1007, reason: 'API key not valid. Please pass a valid API key.' },
  keyExpired: { code: 1007, reason: 'API key expired. Please renew the API key.' },
  regionUnsupported: { code: 1007, reason: 'User location is not supported for the API use.' },
  aborted: { code: 1008, reason: 'The operation was aborted.' },
  goAwayIgnored: {
    code: 1008,
    reason:
      'Connection aborted: client failed to close the connection after receiving a GoAway signal once the time left expired.',
  },
  notSupported: { code: 1008, reason: 'Operation is not implemented, or supported, or enabled.' },
  notFound: { code: 1008, reason: 'Requested entity was not found.' },
  modelNotFound: {
    code: 1008,
    reason: 'models/unknown is not found for API version v1beta, or is not supported for bidiGenerateContent.',
  },
  deadline: { code: 1011, reason: 'Deadline expired before operation could complete.' },
  internal: { code: 1011, reason: 'Internal error encountered.' },
  unavailable: { code: 1011, reason: 'The service is currently unavailable.' },
  quota: {
    code: 1011,
    reason:
      'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.',
  },
} as const satisfies Record<string, Close>;

export type CloseName = keyof typeof closes;

export const closeNames = Object.keys(closes) as [CloseName, ...CloseName[]];

/** The close for a model that is not served. `version` is the API version of the dialled path. */
export function modelNotFound(model: string, version: string): Close {
  const name = model.startsWith('models/') ? model : `models/${model}`;
  return {
    code: closes.modelNotFound.code,
    reason: `${name} is not found for API version ${version}, or is not supported for bidiGenerateContent.`,
  };
}
