// The scripts are plain JavaScript that runs on a Node without type stripping.
declare module '*.mjs';
