import { FILE_FORMAT, FILE_VERSION, portableSession, portableTurn } from '../json-format.ts';
import type { Format } from './format.ts';

/** Our own form, a turn a line: docs/export-format.md. */
export const jsonFormat: Format = {
  extension: 'json',
  mediaType: 'application/json',
  writer({ exportedAt, app }) {
    let conversations = 0;
    let turns = 0;
    return {
      begin() {
        const head = JSON.stringify({ format: FILE_FORMAT, version: FILE_VERSION, exportedAt, app });
        return `${head.slice(0, -1)},"conversations":[`;
      },
      open(session) {
        const between = conversations === 0 ? '\n' : ',\n';
        conversations += 1;
        turns = 0;
        return `${between}{"session":${JSON.stringify(portableSession(session))},"turns":[`;
      },
      turn(turn) {
        const between = turns === 0 ? '\n' : ',\n';
        turns += 1;
        return `${between}${JSON.stringify(portableTurn(turn))}`;
      },
      close: () => (turns === 0 ? ']}' : '\n]}'),
      end: () => '\n]}\n',
    };
  },
};
