/**
 * Answers as `make` does, but keeps the last answer: for what is asked again and again with the same key before another comes, and
 * costs more than a comparison. The key has to be one that `===` tells apart.
 */
export function rememberLast<K, V>(make: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (last === undefined || last.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
