import { describe, expect, it } from 'vitest';
import { FlowingBody, type FlowingBodyOptions } from './flowing-body.js';
import { createReceiveMemory, type ReceiveMemory } from './receive-memory.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A body, and what it did to its sender. */
function bodyOf(change: Partial<FlowingBodyOptions> = {}) {
  const done: string[] = [];
  const hold = (): (() => void) => {
    done.push('held');
    return () => void done.push('let flow');
  };
  const options = { memory: createReceiveMemory(), hold, expectedBytes: undefined, ...change };
  const body = new FlowingBody(options, ({ message }) => void done.push(message));
  return { body, done };
}

/** Memory in pieces of so many bytes, and what was asked of it. */
function countedMemory(sizeBytes: number): Pick<ReceiveMemory, 'take' | 'give'> & { readonly done: readonly string[] } {
  const done: string[] = [];
  return {
    done,
    take() {
      done.push('take');
      return new Uint8Array(sizeBytes);
    },
    give: () => void done.push('give'),
  };
}

/** The next chunk, as a copy. */
async function nextOf(body: FlowingBody): Promise<Buffer | undefined> {
  const { value } = await body.next();
  return value === undefined ? undefined : Buffer.from(value);
}

/** Bytes that differ from place to place. */
const bytes = (length: number, seed = 0): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) + seed));

describe('FlowingBody', () => {
  it('gives all that has arrived, as far as it lies together, and copies it', async () => {
    const { body } = bodyOf();
    const sent = bytes(100);
    body.push(sent.subarray(0, 40));
    body.push(sent.subarray(40));
    const expected = Buffer.from(sent);
    sent.fill(0);
    expect(await nextOf(body)).toEqual(expected);
    body.end(undefined);
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('waits for what is not there yet', async () => {
    const { body } = bodyOf();
    const first = nextOf(body);
    body.push(Buffer.from('a'));
    expect(await first).toEqual(Buffer.from('a'));
    const second = nextOf(body);
    body.push(Buffer.from('b'));
    expect(await second).toEqual(Buffer.from('b'));
    const last = nextOf(body);
    body.end(undefined);
    expect(await last).toBeUndefined();
  });

  it('leaves a chunk as it is until the next is asked for, whatever arrives', async () => {
    const { body } = bodyOf();
    body.push(Buffer.from('first'));
    const { value } = await body.next();
    body.push(bytes(300 * KIB));
    expect(Buffer.from(value ?? []).toString()).toBe('first');
  });

  it.each([1, 255 * KIB, 256 * KIB, 256 * KIB + 1, 700 * KIB])(
    'keeps what comes in pieces of %i bytes in order',
    async (piece) => {
      const { body } = bodyOf();
      const sent = bytes(Math.min(5 * MIB, piece * 2000));
      const received: Buffer[] = [];
      const reading = (async () => {
        for await (const chunk of body) {
          received.push(Buffer.from(chunk));
          // Sometimes the reader keeps up, sometimes not.
          if (received.length % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      for (let at = 0; at < sent.length; at += piece) {
        body.push(sent.subarray(at, at + piece));
        if (at % (7 * piece) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      body.end(undefined);
      await reading;
      expect(Buffer.concat(received).equals(sent)).toBe(true);
    },
  );

  it('uses one piece of memory as long as the reader keeps up, and gives back what it used', async () => {
    const memory = countedMemory(100);
    const { body } = bodyOf({ memory });
    for (let i = 0; i < 10; i++) {
      body.push(bytes(60, i));
      expect(await nextOf(body)).toEqual(bytes(60, i));
      // The reader asks, and so is done with what it had.
      const waiting = nextOf(body);
      body.push(bytes(1, i));
      expect(await waiting).toEqual(bytes(1, i));
    }
    body.push(bytes(150));
    body.end(undefined);
    // One byte of the first piece is in use.
    expect(await nextOf(body)).toEqual(bytes(150).subarray(0, 99));
    expect(await nextOf(body)).toEqual(bytes(150).subarray(99));
    expect(await nextOf(body)).toBeUndefined();
    expect(memory.done).toEqual(['take', 'take', 'give', 'give']);
  });

  it('holds the sender back at 1 MiB that was not read, and lets it go on at half of that', async () => {
    const { body, done } = bodyOf();
    body.push(bytes(MIB - 1));
    expect(done).toEqual([]);
    body.push(bytes(1));
    body.push(bytes(1));
    expect(done).toEqual(['held']);
    await nextOf(body);
    expect(done).toEqual(['held']);
    await nextOf(body);
    await nextOf(body);
    expect(done).toEqual(['held', 'let flow']);
    body.push(bytes(MIB));
    expect(done).toEqual(['held', 'let flow', 'held']);
  });

  it('does not hold a sender back that has ended: its connection is used again', async () => {
    for (const end of ['end', 'return'] as const) {
      const { body, done } = bodyOf();
      body.push(bytes(2 * MIB));
      if (end === 'end') body.end(undefined);
      else await body.return();
      expect(done).toEqual(['held', ...(end === 'end' ? [] : ['the answer is not wanted any more']), 'let flow']);
    }
  });

  it('throws what ended it, once, after all that had come before', async () => {
    const { body } = bodyOf();
    body.push(Buffer.from('x'));
    body.end(new Error('cut off'));
    body.end(new Error('cut off again'));
    expect(await nextOf(body)).toEqual(Buffer.from('x'));
    await expect(body.next()).rejects.toThrow('cut off');
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('breaks off what is not wanted, takes nothing more, and gives its memory back', async () => {
    const memory = countedMemory(10);
    const { body, done } = bodyOf({ memory });
    body.push(bytes(25));
    expect(await nextOf(body)).toHaveLength(10);
    expect(await body.return()).toEqual({ done: true, value: undefined });
    body.push(bytes(25));
    await body.return();
    expect([memory.done.filter((what) => what === 'give').length, done, await nextOf(body)]).toEqual([
      3,
      ['the answer is not wanted any more'],
      undefined,
    ]);
  });

  it('ends a reader that waits while it is not wanted any more', async () => {
    const { body } = bodyOf();
    const waiting = nextOf(body);
    await body.return();
    expect(await waiting).toBeUndefined();
  });
});
