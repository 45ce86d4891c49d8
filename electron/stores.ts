import type ElectronStore from 'electron-store';
import type { Options } from 'electron-store';
import type { KeyValueFile } from '../src/core.ts';
import type { Logger } from '../src/log.ts';

type StoreClass = new (options: Options<Record<string, unknown>>) => ElectronStore;

/**
 * A file of the core's. A damaged one makes this throw and stays as it is: the core looks at the file first and sets
 * a damaged one aside.
 * @param Store electron-store's class, handed in because importing it runs Electron.
 */
export function openKeyValueFile(Store: StoreClass, name: string, dir: string): KeyValueFile {
  return new Store(storeOptions(name, dir, { clearInvalidConfig: false }));
}

/** A file that nobody would miss, such as the window's place: begins anew when it is damaged, in memory if it must. */
export function openExpendableFile(
  Store: StoreClass,
  name: string,
  dir: string,
  log: Logger,
): Pick<KeyValueFile, 'store'> {
  try {
    return new Store(storeOptions(name, dir, { clearInvalidConfig: true }));
  } catch (error) {
    log.warn({ err: error, name }, 'A file cannot be opened: its content lasts until the app is closed');
    return { store: {} };
  }
}

function storeOptions(
  name: string,
  dir: string,
  { clearInvalidConfig }: { readonly clearInvalidConfig: boolean },
): Options<Record<string, unknown>> {
  return {
    name,
    cwd: dir,
    clearInvalidConfig,
    // Session ids and settings are keys as they stand; a dot in one is no path.
    accessPropertiesByDotNotation: false,
    configFileMode: 0o600,
  };
}
