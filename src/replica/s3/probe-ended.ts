import { isWorthRepeating, type ServiceFailure } from './service-error.js';

/** The store would not let the trial do its work. */
export class ProbeEnded extends Error {
  readonly failure: ServiceFailure;

  constructor(failure: ServiceFailure) {
    super(`${failure.status} ${failure.code}`.trim());
    this.failure = failure;
  }
}

/** A race of which nobody can say who won: too many answers are failures of the service. */
export class RaceUndecided extends Error {}

/** Failures that speak of something else than a condition: the bucket is gone, the name of an upload was damaged on its way. */
const OTHER_CODES: ReadonlySet<string> = new Set(['NoSuchBucket', 'NoSuchUpload']);

/** Ends a question at a failure that is no answer to it: only a refusal of the condition tells something about conditions. */
export function endUnlessRefused(failure: ServiceFailure): void {
  const isRefusal = [304, 400, 404, 409, 412, 501].includes(failure.status) && !OTHER_CODES.has(failure.code);
  if (!isRefusal || isWorthRepeating(failure)) throw new ProbeEnded(failure);
}
