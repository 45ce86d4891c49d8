import { z } from 'zod';

/* For reading forms that nobody promised: what is there and of the right kind is taken, all else is as if absent. */

export const looseText = z.string().nullish().catch(undefined);
export const looseRecord = z.record(z.string(), z.unknown()).nullish().catch(undefined);
export const looseList = z.array(z.unknown()).nullish().catch(undefined);

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function stringAt(value: unknown, key: string): string | undefined {
  const found = valueAt(value, key);
  return isString(found) ? found : undefined;
}

export function listAt(value: unknown, key: string): readonly unknown[] {
  const found = valueAt(value, key);
  return Array.isArray(found) ? found : [];
}

/** An object of JSON as such; anything else inside one, under `name`. */
export function recordFrom(value: unknown, name: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  return value === undefined || value === null ? {} : { [name]: value };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function valueAt(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
