// Files that are the same for the same seed.
import { closeSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Mulberry32: small, quick, and the same everywhere. Numbers from 0 to 2^32 - 1. */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

function fill(buffer, random) {
  for (let at = 0; at + 4 <= buffer.length; at += 4) buffer.writeUInt32LE(random(), at);
  return buffer;
}

/** The path of the n-th file: 500 to a folder. */
export function nameOf(n) {
  return `folder-${String(Math.floor(n / 500)).padStart(5, '0')}/file-${String(n).padStart(8, '0')}.bin`;
}

/** Makes `count` files of `sizeBytes` bytes, an hour old, so that none counts as just changed. */
export function makeFiles(folder, count, sizeBytes, seed = 1) {
  const random = createRandom(seed);
  const buffer = Buffer.alloc(Math.ceil(sizeBytes / 4) * 4);
  const time = Math.floor(Date.now() / 1000) - 3600;
  for (let n = 0; n < count; n++) {
    const file = path.join(folder, nameOf(n));
    if (n % 500 === 0) mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, fill(buffer, random).subarray(0, sizeBytes));
    utimesSync(file, time, time);
  }
}

/** Makes `count` empty files as fast as the disk takes them. */
export function makeEmptyFiles(folder, count) {
  for (let n = 0; n < count; n++) {
    const file = path.join(folder, nameOf(n));
    if (n % 500 === 0) mkdirSync(path.dirname(file), { recursive: true });
    closeSync(openSync(file, 'w'));
  }
}

/** Makes one file of `mib` MiB, an hour old. */
export function makeLargeFile(file, mib, seed = 2) {
  const random = createRandom(seed);
  const buffer = Buffer.alloc(1024 * 1024);
  fill(buffer, random);
  mkdirSync(path.dirname(file), { recursive: true });
  const descriptor = openSync(file, 'w');
  for (let n = 0; n < mib; n++) {
    // Each MiB differs from every other in its first bytes and in a byte per block.
    for (let at = 0; at < buffer.length; at += 4096) buffer.writeUInt32LE(random(), at);
    writeSync(descriptor, buffer);
  }
  closeSync(descriptor);
  const time = Math.floor(Date.now() / 1000) - 3600;
  utimesSync(file, time, time);
}
