import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const TOKEN_BYTES = 32;
/** How long a browser keeps its way in, in seconds. */
const COOKIE_AGE_S = 30 * 24 * 3600;

/** Who may talk to the browser host: those who opened the address that it printed, and nobody else in the same browser. */
export interface Access {
  readonly token: string;
  /** Value of the `Set-Cookie` header that a right token is exchanged for. */
  readonly setCookie: string;
  isToken(token: string | null): boolean;
  hasCookie(headers: IncomingHttpHeaders): boolean;
}

/** `secret` outlives the process, so that a page that is open when the host restarts on the same port stays let in. */
export function createAccess(secret: string): Access {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  // Cookies do not know ports: the name keeps two hosts on one machine apart.
  const name = `holdfast-${createHash('sha256').update(`name:${secret}`).digest('hex').slice(0, 12)}`;
  return {
    token,
    setCookie: `${name}=${secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${COOKIE_AGE_S}`,
    isToken: (given) => given !== null && same(given, token),
    hasCookie(headers) {
      const cookies = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
      return cookies.some((pair) => pair.startsWith(`${name}=`) && same(pair.slice(name.length + 1), secret));
    },
  };
}

export function newSecret(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Whether a secret is one that `newSecret` made: an emptied or edited file must not make for a cookie that can be guessed. */
export function isSecret(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

export type Refusal = { readonly status: 403 | 421; readonly why: string };

/**
 * Whether a request comes from where our own pages come from. `Host` must be ours (a name that an attacker points at
 * 127.0.0.1 is not); `Origin`, where there is one, too; and a browser that says `Sec-Fetch-Site` must not come from
 * elsewhere, but for a person who follows a link. An upgrade must carry `Origin`: a WebSocket is bound by no other rule.
 */
export function checkSender(
  headers: IncomingHttpHeaders,
  authority: string,
  kind: 'request' | 'upgrade',
): Refusal | undefined {
  if (headers.host !== authority) return { status: 421, why: `Open http://${authority}/ instead.` };
  const { origin } = headers;
  if (origin === undefined ? kind === 'upgrade' : origin !== `http://${authority}`) {
    return { status: 403, why: 'This request comes from another page.' };
  }
  const site = headers['sec-fetch-site'];
  const foreign = site === 'cross-site' || site === 'same-site';
  const followsLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (foreign && !followsLink) return { status: 403, why: 'This request comes from another page.' };
  return undefined;
}

function same(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(left, right);
}
