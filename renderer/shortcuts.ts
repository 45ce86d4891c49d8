export type Shortcut =
  | { readonly kind: 'new' }
  | { readonly kind: 'close' }
  | { readonly kind: 'tab'; readonly place: number }
  | { readonly kind: 'rename' }
  | { readonly kind: 'stop' };

export type KeyPress = Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'> & {
  getModifierState(key: string): boolean;
};

/**
 * What a key press asks for. Browsers keep Ctrl+N, Ctrl+T and Ctrl+W for themselves, so Alt leads here. On a Mac,
 * Option alone types letters, so Ctrl or Cmd has to join it; elsewhere AltGr types letters and is left alone.
 */
export function shortcutOf(press: KeyPress, mac: boolean): Shortcut | null {
  if (press.shiftKey) return null;
  const bare = !press.altKey && !press.ctrlKey && !press.metaKey;
  if (bare && press.key === 'F2') return { kind: 'rename' };
  if (bare && press.key === 'Escape') return { kind: 'stop' };
  if (!press.altKey || press.getModifierState('AltGraph')) return null;
  const letter = letterOf(press);
  const control = press.ctrlKey || press.metaKey;
  if (mac && !control) return null;
  if (letter === 'n') return { kind: 'new' };
  // Ctrl+Alt is what AltGr looks like on some systems, and it types there.
  if (!mac && control) return null;
  if (letter === 'w') return { kind: 'close' };
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(press.code)?.[1];
  return digit === undefined ? null : { kind: 'tab', place: Number(digit) - 1 };
}

/** The letter on the user's own layout; where a modifier turned it into another sign, the key's place decides. */
function letterOf(press: KeyPress): string | undefined {
  if (/^[a-z]$/i.test(press.key)) return press.key.toLowerCase();
  return /^Key([A-Z])$/.exec(press.code)?.[1]?.toLowerCase();
}

export const isMac = (): boolean => /mac|iphone|ipad/i.test(navigator.platform);

/** The keys as they are printed on the user's keyboard. */
export function keysOf(kind: Shortcut['kind'], mac: boolean): string {
  const lead = mac ? '⌃⌥' : 'Alt+';
  switch (kind) {
    case 'new':
      return `${lead}N`;
    case 'close':
      return `${lead}W`;
    case 'tab':
      return `${lead}1…9`;
    case 'rename':
      return 'F2';
    case 'stop':
      return 'Esc';
  }
}
