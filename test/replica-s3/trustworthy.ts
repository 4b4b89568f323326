import { type DialectName, DIALECTS } from '../../src/testing/s3/index.js';

/** A kind of change whose condition a store may honour. */
export type Conditions =
  | 'put create'
  | 'put replace'
  | 'complete create'
  | 'complete replace'
  | 'copy create'
  | 'delete'
  | 'part digests';

/** What a store may be trusted with, by what its profile says that it does. */
export function trustworthy(name: DialectName): Conditions[] {
  const { conditions, conditionWindowMs, signedPayload } = DIALECTS[name];
  const digests: readonly [Conditions, boolean] = ['part digests', signedPayload === 'verified'];
  if (conditionWindowMs > 0) return chosen([digests]);
  const { put, complete, copy } = conditions;
  const replaces = ({ ifMatch, missingStatus }: typeof put): boolean => ifMatch === 'honoured' && missingStatus !== 200;
  return chosen([
    ['put create', put.ifNoneMatch === 'honoured'],
    ['put replace', replaces(put)],
    ['complete create', complete.ifNoneMatch === 'honoured'],
    ['complete replace', replaces(complete)],
    ['copy create', copy.ifNoneMatch === 'honoured'],
    ['delete', conditions.delete.ifMatch === 'honoured'],
    digests,
  ]);
}

/** What a probe trusts a store with, from what it keeps of it. */
export function trustedBy(kept: Readonly<Record<string, unknown>>): Conditions[] {
  const honours = (name: string): boolean => kept[name] === 'quoted' || kept[name] === 'bare';
  return chosen([
    ['put create', kept['putCreate'] === true],
    ['put replace', honours('putReplace')],
    ['complete create', kept['completeCreate'] === true],
    ['complete replace', honours('completeReplace')],
    ['copy create', kept['copyCreate'] === true],
    ['delete', honours('remove')],
    ['part digests', kept['checksSha256'] === true],
  ]);
}

function chosen(rows: readonly (readonly [Conditions, boolean])[]): Conditions[] {
  return rows.filter(([, holds]) => holds).map(([what]) => what);
}
