import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../live/index.ts';
import { startSimulator } from '../simulator/index.ts';
import type { Simulator } from '../simulator/index.ts';
import { geminiEndpoint } from './endpoints.ts';

/** Quick enough to read along with, slow enough to see it stream. */
const DEMO_MS_PER_WORD = 70;

/** The provider for those without a key: a simulator of the Gemini Live server inside the app. */
export interface DemoProvider {
  /** Where it listens; starts it at the first call. */
  endpoint(model: string): Promise<Endpoint>;
  close(): Promise<void>;
}

export function createDemoProvider(): DemoProvider {
  // Nobody else on this machine, and no page in a browser, can talk to it.
  const key = randomBytes(24).toString('base64url');
  let starting: Promise<Simulator> | undefined;
  return {
    async endpoint(model) {
      starting ??= startSimulator({ apiKeys: [key], observe: false, pace: DEMO_MS_PER_WORD }).catch(
        (error: unknown) => {
          starting = undefined;
          throw error;
        },
      );
      const { url } = await starting;
      return { ...geminiEndpoint(url, key, model), provider: 'demo' };
    },
    async close() {
      await (await starting?.catch(() => undefined))?.close();
      starting = undefined;
    },
  };
}
