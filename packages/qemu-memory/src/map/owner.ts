/** The owner of a region that was read from text: what `info mtree -o` printed of it. T-197. */
export class NamedOwner {
  /** For example `owner:{dev path=/machine/q35/mch}`. */
  readonly label: string;

  constructor(label: string) {
    this.label = label;
  }
}
