import type { garbageKinds } from './script.ts';

export type GarbageKind = (typeof garbageKinds)[number];

export interface RawFrame {
  readonly data: string | Uint8Array;
  readonly binary: boolean;
}

function text(data: string): RawFrame {
  return { data, binary: false };
}

const WRONG_TYPES: readonly unknown[] = [
  null,
  42,
  'words',
  [],
  { serverContent: 'yes' },
  { serverContent: { modelTurn: { parts: 'none' } } },
  { serverContent: { modelTurn: { parts: [null, 7, { inlineData: 'sound' }] } } },
  { serverContent: { outputTranscription: { text: 5 } } },
  { serverContent: { turnComplete: 'perhaps' } },
  { setupComplete: true },
  { toolCall: { functionCalls: {} } },
  { toolCallCancellation: { ids: 'all' } },
  { goAway: { timeLeft: 50 } },
  { sessionResumptionUpdate: { newHandle: 7, resumable: 'yes' } },
  { usageMetadata: [] },
];

const UNKNOWN_KEYS: readonly unknown[] = [
  {},
  { weather: { wind: 'north' } },
  { serverContent: { mood: 'good', modelTurn: { parts: [{ hologram: {} }] } } },
];

/** Frames that no client should fall over. @param size bytes of `huge`, levels of `deep` */
export function garbage(kind: GarbageKind, size: number): readonly RawFrame[] {
  switch (kind) {
    case 'notJson':
      return [text('{"serverContent": {"modelTurn"'), text('<html>502 Bad Gateway</html>')];
    case 'notUtf8':
      return [{ data: Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0xff, 0x22, 0x7d), binary: true }];
    case 'empty':
      return [text(''), { data: new Uint8Array(0), binary: true }];
    case 'wrongTypes':
      return WRONG_TYPES.map((value) => text(JSON.stringify(value)));
    case 'unknownKeys':
      return UNKNOWN_KEYS.map((value) => text(JSON.stringify(value)));
    case 'deep':
      return [text(`{"serverContent":${'['.repeat(size)}${']'.repeat(size)}}`)];
    case 'huge':
      return [text(`{"padding":"${'x'.repeat(size)}"}`)];
  }
}
