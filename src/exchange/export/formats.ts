import type { Format } from './format.ts';
import { htmlFormat } from './html.ts';
import { jsonFormat } from './json.ts';
import { markdownFormat } from './markdown.ts';
import { plainTextFormat } from './plain-text.ts';

export const exportFormats = ['markdown', 'json', 'html', 'text'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const formats: Readonly<Record<ExportFormat, Format>> = {
  markdown: markdownFormat,
  json: jsonFormat,
  html: htmlFormat,
  text: plainTextFormat,
};
