/** Only a look at both sides as a whole can say what is to be done. Never leaves the session. */
export class WholeLookNeeded extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'WholeLookNeeded';
  }
}
