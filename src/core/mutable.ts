/** A record while it is made: its fields can be set. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
