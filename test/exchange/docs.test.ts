import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bytesSource, conversationsFileSchema } from '../../src/exchange/index.ts';
import { importing } from './support.ts';

it('the file in the documentation is one, and is imported as it stands', async () => {
  const page = readFileSync(new URL('../../docs/export-format.md', import.meta.url), 'utf8');
  const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const file: unknown = JSON.parse(example);
  expect(conversationsFileSchema.parse(file)).toEqual(file);
  const imported = await importing([bytesSource('example', Buffer.from(example))]);
  expect(imported.report).toMatchObject({ imported: 1, partly: 0, skipped: 0, turns: 3 });
});
