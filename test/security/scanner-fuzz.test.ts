import { describe, expect, it } from 'vitest';
import { S3ConnectionError } from '../../src/errors.js';
import { scanListing } from '../../src/replica/s3/list-scanner.js';
import { readXml } from '../../src/replica/s3/xml-reader.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { writeListPage } from './list-page.js';
import { generateBucketKeys } from './prove-keys.js';

/** `FCS_S3=1000000` for the long form, `FCS_SEED=…` for the same pages again. */
const count = Number(process.env['FCS_S3'] ?? 20_000);
const seed = Number(process.env['FCS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const PIECES = [
  '<',
  '>',
  '/',
  '&',
  ';',
  '"',
  '<Contents>',
  '</Contents>',
  '<Key>',
  '</Key>',
  '<Key/>',
  '<Size>-1</Size>',
  '<Size>',
  '</ListBucketResult>',
  '<ListBucketResult>',
  '<IsTruncated>true</IsTruncated>',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE x>',
  '<?x?>',
  '&amp;',
  '&#0;',
  '&x;',
  '\0',
  '\uFEFF',
  ' ',
  '\n',
  '0',
  '9'.repeat(30),
  '<NextContinuationToken>t</NextContinuationToken>',
  '<KeyCount>5</KeyCount>',
  '<Owner>',
  '</Owner>',
  'x'.repeat(2000),
];

/** A real page in which a few things were cut, doubled, exchanged or put in. */
function mutate(page: string, random: SeededRandom): string {
  let text = page;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(text.length + 1);
    const to = Math.min(text.length, at + random.below(random.chance(0.8) ? 12 : 400));
    switch (random.below(6)) {
      case 0:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, to) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + random.pick(PIECES) + text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + random.pick(PIECES) + text.slice(to);
        break;
      case 4:
        text = text.slice(0, at);
        break;
      default:
        text = text.slice(0, at) + String.fromCharCode(random.below(0x300)) + text.slice(at + 1);
    }
  }
  return text;
}

/** What a scanner that knows nothing of XML finds: every key of the document, in order. */
function keysIn(xml: string): number {
  return xml.split('<Contents>').length - 1;
}

describe('S3: mutated pages', () => {
  it(`are refused or read whole, ${count} of them`, () => {
    const random = new SeededRandom(seed);
    const pages = Array.from({ length: 20 }, (_, i) => {
      const objects = generateBucketKeys(seed + i, 1 + i).map((key) => ({ key, sizeBytes: i }));
      return writeListPage(objects, { urlEncoded: i % 2 === 0, ...(i % 3 === 0 && { nextToken: 'token' }) });
    });
    let read = 0;
    let refused = 0;
    let slowestMs = 0;
    for (let i = 0; i < count; i++) {
      const text = mutate(random.pick(pages), random);
      const startedAt = performance.now();
      try {
        const page = scanListing(text);
        read++;
        // An object that the document names is never passed over: what is not seen would be taken for deleted.
        if (page.objects.length !== keysIn(text))
          throw new Error(`seed ${seed}, page ${i}: ${page.objects.length} objects read of ${keysIn(text)} in ${text}`);
        for (const { key, sizeBytes } of page.objects) {
          if (key === '' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
            throw new Error(`seed ${seed}, page ${i}: an impossible object in ${text}`);
        }
      } catch (error) {
        if (!(error instanceof S3ConnectionError)) throw error;
        refused++;
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      try {
        readXml(text);
      } catch (error) {
        if (!(error instanceof S3ConnectionError)) throw error;
      }
    }
    console.log(
      `S3: ${count} mutated pages from seed ${seed}: ${refused} refused, ${read} read whole, the slowest took ${slowestMs.toFixed(1)} ms; 0 crashes`,
    );
    expect(refused).toBeGreaterThan(count / 4);
    expect(read).toBeGreaterThan(count / 50);
  }, 1_800_000);
});
