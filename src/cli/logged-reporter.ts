import type { EventLog } from './event-log.js';
import type { Reporter } from './reporter.js';

/** A reporter whose answers go to the log as well. Events come to the log by themselves, the end of a cycle among them. */
export function withLog(inner: Reporter, log: EventLog): Reporter {
  return {
    event: (event) => inner.event(event),
    result(line, text) {
      if (line.type !== 'end') log.answer(line);
      inner.result(line, text);
    },
    say: (text) => inner.say(text),
    warn: (text) => inner.warn(text),
    error: (error) => inner.error(error),
    idle: (text) => inner.idle(text),
    close: () => inner.close(),
  };
}
