const timeouts = new WeakMap<object, number>();

/** Who a timeout belongs to. */
type Configured = { readonly config: object };

/** Notes how long the service may stay silent when it is asked in the name of this client, in milliseconds. */
export function setClientTimeout(client: Configured, timeoutMs: number): void {
  timeouts.set(client.config, timeoutMs);
}

/** What {@link setClientTimeout} noted; `undefined` for a client that somebody else made. */
export function clientTimeoutMs(client: Configured): number | undefined {
  return timeouts.get(client.config);
}
