import type { StandardRPCCustomJsonSerializer } from '@orpc/client/standard';

/** Our custom type numbers on the wire; oRPC keeps those below 20 for itself. */
const BYTES_TYPE = 20;

/** Bytes per call of `String.fromCharCode`: engines limit the number of arguments. */
const CHUNK = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * Carries `Uint8Array` as base64. Without it oRPC's serialiser turns bytes into a plain object with one key a byte.
 * Client and server must both be given it.
 */
export const bytesSerializer: StandardRPCCustomJsonSerializer = {
  type: BYTES_TYPE,
  condition: (data) => data instanceof Uint8Array,
  serialize: (data) => toBase64(data as Uint8Array),
  deserialize: (data) => {
    if (typeof data !== 'string') throw new TypeError('Bytes on the contract are a base64 string');
    return fromBase64(data);
  },
};
