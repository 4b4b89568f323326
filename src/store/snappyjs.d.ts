// The package comes without types.
declare module 'snappyjs' {
  /** Throws what is no such compression, or comes to more than `mostBytes`. */
  export function uncompress(compressed: Uint8Array, mostBytes?: number): Uint8Array;
}
