/** Who owns the regions that were read from text. T-197, T-221. */

/** What `info mtree -o` printed of an owner. */
export class NamedOwner {
  /** For example `owner:{dev path=/machine/q35/mch}`. */
  readonly label: string;

  constructor(label: string) {
    this.label = label;
  }
}

/** Owns the regions that a dump hides and its other lines tell of: no dump shows them. */
export const HIDDEN_OWNER: object = new NamedOwner('hidden');
