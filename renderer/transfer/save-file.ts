/** How long a browser may take to begin a download from an address of ours. */
const KEPT_MS = 60_000;

/** Hands a file to the browser, which saves it where its user wants it. */
export function saveFile(name: string, mediaType: string, chunks: readonly Uint8Array[]): void {
  const url = URL.createObjectURL(new Blob([...chunks] as BlobPart[], { type: mediaType }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
