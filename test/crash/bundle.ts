import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** The processes of these tests, each as one file: a process that loads one file starts in a third of the time. */
export interface Bundle {
  readonly driver: string;
  readonly unwatched: string;
  readonly server: string;
  remove(): Promise<void>;
}

/** Bundles the processes of these tests from the sources as they are now. */
export async function bundle(): Promise<Bundle> {
  // Below node_modules, where the native parts are found that stay outside.
  const directory = await mkdtemp(join(CACHE, '.crash-test-'));
  const build = await rolldown({
    input: {
      driver: join(HERE, 'driver.ts'),
      unwatched: join(HERE, 'unwatched-process.ts'),
      server: join(HERE, 'server-process.ts'),
    },
    platform: 'node',
    external: ['classic-level', '@aws-sdk/client-s3'],
    logLevel: 'silent',
  });
  await build.write({
    dir: directory,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  await build.close();
  return {
    driver: join(directory, 'driver.mjs'),
    unwatched: join(directory, 'unwatched.mjs'),
    server: join(directory, 'server.mjs'),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
