/** One of the two replicas: the folder is `local`, the bucket is `remote`. */
export type Side = 'local' | 'remote';
