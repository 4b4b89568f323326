import { compareByteOrder } from './byte-order.js';
import { copyWith } from './copy-with.js';
import type { Decision } from './decision.js';
import { PageCursor } from './page-cursor.js';
import type { Side } from './side.js';

/** A decision filed under a key: two halves of one rename have the same. A key holds no NUL. */
export interface Filed {
  readonly key: string;
  readonly decision: Decision;
}

/** What two sorted files of decisions have at one place: both halves, or one that is alone. */
export interface FiledPair {
  readonly gone: Decision | undefined;
  readonly made: Decision | undefined;
}

/**
 * Tells whether a decision can be the half of a rename that takes a file away, where the rename was made on `origin`:
 * R07 or R06. What makes room for another path (R15) stays as it is.
 */
export function isGoneHalf(decision: Decision, origin: Side): boolean {
  if (decision.baseline === undefined) return false;
  return origin === 'local'
    ? decision.rule === 'R07' && decision.action === 'delete-remote'
    : decision.rule === 'R06' && decision.action === 'delete-local';
}

/** Tells whether a decision can be the half that brings a file: R11 or R12; or R14, where a rename was cut off after it had done that. */
export function isMadeHalf(decision: Decision, origin: Side): boolean {
  const { rule, action, baseline } = decision;
  if (baseline !== undefined) return false;
  if (rule === 'R14') return action === 'compare';
  return origin === 'local' ? rule === 'R11' && action === 'upload' : rule === 'R12' && action === 'download';
}

/** Makes one decision of two halves: the file of `gone` gets the path of `made`. The rule is that of `made`. */
export function renameOf(gone: Decision, made: Decision, origin: Side): Decision {
  return copyWith(made, { action: origin === 'local' ? 'move-remote' : 'move-local', from: gone } as const);
}

/** The two decisions of which a rename was made, the one that brings content first; `undefined` when it is none. */
export function halvesOf({ from, ...decision }: Decision): readonly [made: Decision, gone: Decision] | undefined {
  if (from === undefined) return undefined;
  return [{ ...decision, action: decision.action === 'move-remote' ? 'upload' : 'download' }, from];
}

/** The order in which decisions are filed: by key, then by path, in UTF-8 byte order. */
export function filedOrder({ key, decision }: Filed): string {
  return `${key}\0${decision.path}`;
}

/**
 * Pairs two files of decisions key by key: the first gone with the first made, and so on; what is left over comes alone.
 *
 * Both streams ascend strictly in {@link filedOrder}. Memory: two pages of each.
 */
export async function* pairFiled(
  goneFile: AsyncIterable<readonly Filed[]>,
  madeFile: AsyncIterable<readonly Filed[]>,
): AsyncGenerator<FiledPair, void, undefined> {
  yield* walkBoth(goneFile, madeFile, async function* (gone, made) {
    for (;;) {
      const [a, b] = [gone.item, made.item];
      if (a === undefined && b === undefined) return;
      const order = a === undefined ? 1 : b === undefined ? -1 : compareByteOrder(a.key, b.key);
      yield {
        gone: order <= 0 ? a?.decision : undefined,
        made: order >= 0 ? b?.decision : undefined,
      };
      if (order <= 0) await step(gone);
      if (order >= 0) await step(made);
    }
  });
}

/** Gives, one by one, the decisions of two files whose key is in the other as well. The order and the cost are those of {@link pairFiled}. */
export async function* sharedKeys(
  goneFile: AsyncIterable<readonly Filed[]>,
  madeFile: AsyncIterable<readonly Filed[]>,
): AsyncGenerator<FiledPair, void, undefined> {
  yield* walkBoth(goneFile, madeFile, async function* (gone, made) {
    while (gone.item !== undefined && made.item !== undefined) {
      const { key } = gone.item;
      const order = compareByteOrder(key, made.item.key);
      if (order < 0) await step(gone);
      if (order > 0) await step(made);
      if (order !== 0) continue;
      for (; gone.item?.key === key; await step(gone)) yield { gone: gone.item.decision, made: undefined };
      for (; made.item?.key === key; await step(made)) yield { gone: undefined, made: made.item.decision };
    }
  });
}

type Cursor = PageCursor<Filed>;

async function step(cursor: Cursor): Promise<void> {
  if (!cursor.advance()) await cursor.load();
}

async function* walkBoth(
  goneFile: AsyncIterable<readonly Filed[]>,
  madeFile: AsyncIterable<readonly Filed[]>,
  walk: (gone: Cursor, made: Cursor) => AsyncGenerator<FiledPair, void, undefined>,
): AsyncGenerator<FiledPair, void, undefined> {
  const gone = new PageCursor('gone', goneFile, filedOrder);
  const made = new PageCursor('made', madeFile, filedOrder);
  try {
    await Promise.all([gone.load(), made.load()]);
    yield* walk(gone, made);
  } finally {
    gone.stop();
    made.stop();
  }
}
