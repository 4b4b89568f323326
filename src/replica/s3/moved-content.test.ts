import { describe, expect, it } from 'vitest';
import { md5Of } from '../../../test/replica-s3/s3-world.js';
import type { PartDigests } from '../../core/part-digests.js';
import { findMovedContent } from './moved-content.js';

const PART = 4;

function partsOf(content: string): PartDigests {
  const parts = content.match(/.{1,4}/g) ?? [];
  return { partSizeBytes: PART, md5s: parts.map((part) => md5Of(part)) };
}

/** What is found of the earlier content in the later one, and which places of the later one were read for that. */
async function find(earlier: string, now: string) {
  const reads: (readonly [number, number])[] = [];
  const versions = {
    sizeBytes: now.length,
    now: partsOf(now),
    earlierSizeBytes: earlier.length,
    earlier: partsOf(earlier),
  };
  const moved = await findMovedContent(versions, async (start, end) => {
    reads.push([start, end]);
    return md5Of(now.slice(start, end));
  });
  return { moved, reads };
}

const LONG = 'aaaabbbbccccddddeeeeffffgggghhhhii';

describe('findMovedContent', () => {
  it.each([
    ['put in at the beginning', `xy${LONG}`, { start: 2, by: 2 }],
    ['put in within a part', `${LONG.slice(0, 9)}xyz${LONG.slice(9)}`, { start: 15, by: 3 }],
    ['put in between two parts', `${LONG.slice(0, 8)}x${LONG.slice(8)}`, { start: 9, by: 1 }],
    ['put in just before the end', `${LONG.slice(0, -2)}xyz${LONG.slice(-2)}`, { start: 35, by: 3 }],
    ['taken out at the beginning', LONG.slice(1), { start: 3, by: -1 }],
    ['taken out, several parts of them', `${LONG.slice(0, 5)}${LONG.slice(14)}`, { start: 7, by: -9 }],
    ['put in, whole parts of them', `${LONG.slice(0, 4)}xxxxyyyy${LONG.slice(4)}`, { start: 12, by: 8 }],
    ['exchanged for more', `${LONG.slice(0, 4)}xxxxyyy${LONG.slice(8)}`, { start: 11, by: 3 }],
  ])('finds what follows bytes that were %s', async (_, now, moved) => {
    const found = await find(LONG, now);
    expect(found.moved).toEqual(moved);
    expect(now.endsWith(now.slice(moved.start)) && LONG.endsWith(now.slice(moved.start))).toBe(true);
    expect(found.reads.length).toBeLessThanOrEqual(5);
  });

  it.each([
    ['nothing in a file as long as it was', `${LONG.slice(0, -1)}X`, 0],
    ['nothing where bytes were appended to a last part that was full', `${LONG.slice(0, 32)}xyz`, 0, LONG.slice(0, 32)],
    ['nothing where bytes were appended, as the end shows', `${LONG}xyz`, 1],
    ['nothing where the end was cut off, as the end shows', LONG.slice(0, -1), 1],
    ['nothing where less is left than the last part was long', 'x', 0, 'aaaabbbb'],
    ['nothing where all is new', 'x'.repeat(40), 1],
  ])('finds %s', async (_, now, reads, earlier = LONG) => {
    const found = await find(earlier, now);
    expect(found.moved).toBeUndefined();
    expect(found.reads).toHaveLength(reads);
  });

  it('reads few places of many, and none that is not in the file', async () => {
    const earlier = Array.from({ length: 1000 }, (_, i) => String(i).padStart(4, '0')).join('');
    const { moved, reads } = await find(earlier, `${earlier.slice(400, 2001)}x${earlier.slice(2001)}`);
    expect(moved).toEqual({ start: 1605, by: -399 });
    expect(reads.length).toBeLessThanOrEqual(11);
    expect(Math.min(...reads.map(([start]) => start))).toBeGreaterThanOrEqual(0);
  });
});
