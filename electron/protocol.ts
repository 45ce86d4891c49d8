import { readFile } from 'node:fs/promises';
import type { Logger } from '../src/log.ts';
import { isOwnUrl, originForLog } from './origin.ts';

export interface AssetHandlerOptions {
  /** The file for a URL's path as it stands in the URL (percent-encoded), or `undefined` when the page has no such file. */
  readonly resolve: (urlPath: string) => { readonly path: string; readonly contentType: string } | undefined;
  readonly contentSecurityPolicy: string;
  readonly log: Logger;
}

type AssetRequest = Pick<Request, 'method' | 'url'>;

/** The `app://` handler: the built page, read only, and nothing beside it. For `protocol.handle`. */
export function assetHandler(options: AssetHandlerOptions): (request: AssetRequest) => Promise<Response> {
  const headers = {
    'Content-Security-Policy': options.contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
  const refuse = (status: 404 | 405): Response =>
    new Response(null, { status, headers: status === 405 ? { ...headers, Allow: 'GET, HEAD' } : headers });

  return async (request) => {
    if (!isOwnUrl(request.url)) {
      options.log.warn({ origin: originForLog(request.url) }, 'An address outside the app was asked for');
      return refuse(404);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    const { pathname } = new URL(request.url);
    const asset = options.resolve(pathname === '/' || pathname === '' ? '/index.html' : pathname);
    if (asset === undefined) return refuse(404);
    try {
      const body = await readFile(asset.path);
      return new Response(request.method === 'HEAD' ? null : body, {
        headers: { ...headers, 'Content-Type': asset.contentType, 'Content-Length': String(body.byteLength) },
      });
    } catch (error) {
      // A missing file of the app itself means a damaged installation: worth a line, not a crash.
      options.log.error({ err: error, path: pathname }, 'A file of the page cannot be read');
      return refuse(404);
    }
  };
}
