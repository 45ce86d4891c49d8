import { spawn } from 'node:child_process';

/** Opens an address in the person's own browser, where there is one to open. Never fails: the address is printed anyway. */
export function openBrowser(url: string, env: Readonly<Record<string, string | undefined>>): void {
  const command = commandFor(url, env);
  if (command === undefined) return;
  const [program, args] = command;
  spawn(program, args, { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}

function commandFor(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): [program: string, args: string[]] | undefined {
  switch (process.platform) {
    case 'darwin':
      return ['open', [url]];
    case 'win32':
      return ['rundll32', ['url.dll,FileProtocolHandler', url]];
    default:
      return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open', [url]] : undefined;
  }
}
