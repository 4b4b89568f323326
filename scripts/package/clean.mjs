// Empties dist/ before the build that is packed, so that nothing old is published.
import { rmSync } from 'node:fs';

rmSync(new URL('../../dist', import.meta.url), { recursive: true, force: true });
