import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { readHostileKeys } from './hostile-keys.js';

const PIECES: readonly string[] = [
  '..',
  '.',
  '',
  '/',
  '//',
  '../',
  '/..',
  '...',
  '\0',
  '\\',
  '..\\',
  ':',
  'C:',
  ' ',
  '. ',
  '~',
  '%2e',
  '%2f',
  '%00',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\u00ad',
  '\ud800',
  '\udfff',
  '\u{1F600}',
  'é',
  'e\u0301',
  '中',
  'con',
  'NUL',
  'aux.txt',
  '.filecloudsync',
  '.FileCloudSync',
  'tmp',
  'trash',
  'FILECL~1',
  '&',
  '<',
  '>',
  '"',
  "'",
  ']]>',
  '+',
  '\n',
  '\t',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u2028',
  '-rf',
  '$HOME',
  '__proto__',
  'a',
  'b',
  'x.txt',
  'README',
  'readme',
  '０',
  '．．',
  '\uff0f',
];

/** Makes hostile keys without end: pieces of known attacks put together, keys of the corpus bent, and noise. The same seed gives the same keys. */
export class HostileGenerator {
  readonly #random: SeededRandom;
  readonly #corpus = readHostileKeys().map(({ key }) => key);

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  next(): string {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 5) return this.#pieces();
    if (kind < 8) return this.#bent();
    if (kind < 9) return this.#noise();
    return `${this.#pieces()}/${random.pick(PIECES).repeat(random.below(400))}/${this.#bent()}`;
  }

  #pieces(): string {
    let key = '';
    for (let left = 1 + this.#random.below(8); left > 0; left--) {
      key += this.#random.pick(PIECES);
      if (this.#random.chance(0.3)) key += '/';
    }
    return key;
  }

  /** A key of the corpus with a piece put in, a part cut out, or another key behind it. */
  #bent(): string {
    const random = this.#random;
    const key = random.pick(this.#corpus);
    const at = random.below(key.length + 1);
    switch (random.below(4)) {
      case 0:
        return key.slice(0, at) + random.pick(PIECES) + key.slice(at);
      case 1:
        return key.slice(0, at) + key.slice(at + 1 + random.below(4));
      case 2:
        return `${key}/${random.pick(this.#corpus)}`;
      default:
        return key.slice(0, at) + random.pick(this.#corpus).slice(at);
    }
  }

  #noise(): string {
    let key = '';
    for (let left = 1 + this.#random.below(40); left > 0; left--)
      key += String.fromCharCode(this.#random.below(this.#random.chance(0.7) ? 0x80 : 0x10000));
    return key;
  }
}
