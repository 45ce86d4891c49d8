import type { Endpoint } from '../live/index.ts';

/** Google's own address. Source: the Live API's WebSocket reference. */
const GOOGLE = 'wss://generativelanguage.googleapis.com';
const METHOD = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
/** Ephemeral tokens are taken by this method alone. */
const CONSTRAINED = '/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained';
const EPHEMERAL_PREFIX = 'auth_tokens/';

/**
 * Where to dial for a model. `baseUrl` may be `ws:`, `wss:`, `http:` or `https:`, with or without a path before the
 * method's own; `null` is Google.
 */
export function geminiEndpoint(baseUrl: string | null, key: string, model: string): Endpoint {
  const url = new URL(baseUrl ?? GOOGLE);
  url.protocol = url.protocol === 'http:' || url.protocol === 'ws:' ? 'ws:' : 'wss:';
  const ephemeral = key.startsWith(EPHEMERAL_PREFIX);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${ephemeral ? CONSTRAINED : METHOD}`;
  url.searchParams.set(ephemeral ? 'access_token' : 'key', key);
  return { url: url.href, provider: 'gemini', model };
}
