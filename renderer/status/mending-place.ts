import type { ProblemCode } from '../../src/contract/index.ts';
import { isOfTheKey } from '../problem-words.ts';
import { useSelect } from '../store/context.tsx';
import { isMendedInSettings } from '../words.ts';

/** Where a problem is mended by the user: `key-fixed` is a key of the environment, which the settings cannot change. */
export function useMendingPlace(code: ProblemCode): 'settings' | 'key-fixed' | 'elsewhere' {
  const keyFixed = useSelect((state) => state.settings?.fixed.includes('apiKey') === true);
  if (!isMendedInSettings(code)) return 'elsewhere';
  return keyFixed && isOfTheKey(code) ? 'key-fixed' : 'settings';
}
