// Loaded before the command: the machine's clock is off by SHIFTED_CLOCK_MS.
const shiftMs = Number(process.env.SHIFTED_CLOCK_MS);
const Real = Date;
class Shifted extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shiftMs);
    else super(...given);
  }
  static now() {
    return Real.now() + shiftMs;
  }
}
globalThis.Date = Shifted;
