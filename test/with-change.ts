/** The same object with some of its members exchanged; the others act on the object itself, private members included. */
export function withChange<T extends object>(inner: T, change: Partial<T>): T {
  return new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(key in change ? change : target, key);
      return typeof value === 'function' && !(key in change) ? value.bind(target) : value;
    },
  });
}
