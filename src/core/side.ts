/** One of the two replicas: the folder is `local`, the bucket is `remote`. */
export type Side = 'local' | 'remote';

/** The other side. */
export function otherSide(side: Side): Side {
  return side === 'local' ? 'remote' : 'local';
}
