import { extname, join, sep } from 'node:path';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

export interface Asset {
  readonly path: string;
  readonly contentType: string;
}

/**
 * The file in `root` that a URL path names; `/` is `index.html`. `undefined` for whatever would lead out of `root`,
 * is not plainly written, or is of a type that we do not serve. Does not look whether the file is there.
 */
export function resolveAsset(root: string, urlPath: string): Asset | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (!/^(\/[A-Za-z0-9._-]+)*\/?$/.test(decoded)) return undefined;
  if (decoded.split('/').some((segment) => segment.startsWith('.'))) return undefined;
  const path = join(root, decoded === '/' || decoded === '' ? 'index.html' : decoded);
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
  const contentType = CONTENT_TYPES[extname(path)];
  return contentType === undefined ? undefined : { path, contentType };
}
