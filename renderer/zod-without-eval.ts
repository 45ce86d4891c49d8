import { config } from 'zod';

// The page's CSP allows no eval; without this zod tries it once and the browser reports a violation.
// Imported before anything that declares a schema.
config({ jitless: true });
