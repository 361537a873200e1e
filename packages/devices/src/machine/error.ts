/** The typed error for machines that cannot be made: options, sizes, definitions. */

/** Why. */
export type MachineErrorCode = 'not-modelled' | 'bad-argument' | 'bad-size' | 'bad-definition';

/** The program asked for a machine that this package does not have. Nothing was made. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
  readonly code: MachineErrorCode;

  constructor(code: MachineErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
