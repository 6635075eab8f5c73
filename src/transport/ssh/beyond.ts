/** The cause of an error where Grid's own SSH lacks what the `ssh` program has. */
export class Beyond extends Error {
  override readonly name = "Beyond";
  /** In words, after "since": what it is that is lacking. */
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}
