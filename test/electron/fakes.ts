import { EventEmitter } from 'node:events';
import type { Logger } from '../../src/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function keptLog(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * An emitter with more on it. Electron's overloaded `on` fits no fake but a real emitter, so the one cast is here and
 * everything else of `T` is held to Electron's types.
 */
export function emitting<T extends object>(rest: Omit<T, 'on' | 'once' | 'removeListener'>): T & EventEmitter {
  return Object.assign(new EventEmitter(), rest) as unknown as T & EventEmitter;
}
