import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** How much is read from a socket at once: few trips through the event loop, and near the processor still when it is copied. */
const READ_BYTES = 256 * 1024;

/** Connections all of which are read into one piece of memory. */
export interface SharedReads {
  readonly connect: buildConnector.connector;
  /**
   * Stops reading from the connection from which something is being handed on now, until what it answers is called.
   *
   * undici knows nothing of it: up to version 7.30 it ends the process with an assertion when a server closes a connection whose
   * answer undici holds back (nodejs/undici#5360; mended in version 8, which needs Node 22). Here the end of a connection waits
   * with the rest, and is read after it. A reader that takes longer than a service may be silent is taken for a silent service:
   * the connection is broken off, and what is missing asked for again.
   */
  readonly hold: () => () => void;
}

/**
 * Makes {@link SharedReads}, so that a body of any size leaves nothing behind for the collector. By default each read of 64 KiB
 * has memory of its own, and the collector runs for every 60 MiB.
 *
 * What comes out of a socket holds until it was handed on: who wants it longer copies it.
 *
 * @param build - undici's own maker of connections.
 */
export function createSharedReads(build: typeof buildConnector, options: { readonly timeout: number }): SharedReads {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** What undici keeps for one maker of connections; here each connection has its own. */
  const sessions = new Map<string, Buffer>();
  let current: Connection | undefined;

  /** Gives undici what was read, at once; what it leaves is kept in memory of its own. */
  const handOn = (connection: Connection, socket: Socket, chunk: Uint8Array): void => {
    current = connection;
    socket.push(chunk);
    socket.emit('readable');
    current = undefined;
    if (socket.readableLength > 0) socket.unshift(Buffer.from(socket.read() as Uint8Array));
  };

  return {
    connect(target, callback) {
      const connection: Connection = { socket: undefined, isHeld: false };
      const name = target.servername ?? target.hostname;
      const session = sessions.get(name);
      const connect = build({
        ...options,
        ...(session !== undefined && { session }),
        onread: {
          buffer,
          callback(count: number, read: Uint8Array) {
            if (connection.socket !== undefined) handOn(connection, connection.socket, read.subarray(0, count));
            // Told afterwards: undici asks for more whenever it has taken something.
            return !connection.isHeld;
          },
        },
      });
      const socket = connect(target, callback) as unknown as Socket;
      connection.socket = socket;
      socket.on('session', (made: Buffer) => sessions.set(name, made));
    },
    hold() {
      const held = current;
      if (held !== undefined) held.isHeld = true;
      return () => {
        if (held === undefined) return;
        held.isHeld = false;
        held.socket?.resume();
      };
    },
  };
}

interface Connection {
  socket: Socket | undefined;
  isHeld: boolean;
}
