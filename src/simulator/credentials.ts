import { closes, type Close } from './closes.ts';
import type { LivePath } from './wire.ts';

/** An ephemeral token as it was created. Defaults after Google's: one use, 60 s to open a session, 30 min to send. */
export interface EphemeralToken {
  /** As in `access_token`: `auth_tokens/…`. */
  readonly token: string;
  readonly uses?: number | undefined;
  /** Milliseconds of the simulator's clock from its start. */
  readonly opensUntilMs?: number | undefined;
}

export interface Presented {
  readonly path: LivePath;
  readonly key: string | undefined;
  readonly accessToken: string | undefined;
}

export interface Judgement {
  readonly refusal?: Close | undefined;
  readonly admit?: ((resuming: boolean, now: number) => Close | undefined) | undefined;
}

export interface Credentials {
  judge(presented: Presented): Judgement;
}

const TOKEN_OPENS_MS = 60_000;
const refused: Judgement = { refusal: closes.keyInvalid };

/**
 * @param apiKeys `undefined`: any key will do, but there must be one
 * @param accessTokens `undefined`: any token of the right form
 */
export function createCredentials(
  apiKeys: readonly string[] | undefined,
  accessTokens: readonly EphemeralToken[] | undefined,
  startedAt: number,
): Credentials {
  const used = new Map<string, number>();

  function judgeToken(accessToken: string): Judgement {
    if (!accessToken.startsWith('auth_tokens/')) return refused;
    if (accessTokens === undefined) return {};
    const known = accessTokens.find(({ token }) => token === accessToken);
    if (known === undefined) return refused;
    return {
      admit(resuming, now) {
        // Resuming is not counted as a use, and is allowed after the time to open is over.
        if (resuming) return undefined;
        const uses = (used.get(accessToken) ?? 0) + 1;
        if (uses > (known.uses ?? 1) || now - startedAt > (known.opensUntilMs ?? TOKEN_OPENS_MS))
          return closes.keyInvalid;
        used.set(accessToken, uses);
        return undefined;
      },
    };
  }

  return {
    judge({ path, key, accessToken }) {
      if (path.constrained) return accessToken === undefined ? refused : judgeToken(accessToken);
      if (key === undefined || key === '') return refused;
      return apiKeys === undefined || apiKeys.includes(key) ? {} : refused;
    },
  };
}
