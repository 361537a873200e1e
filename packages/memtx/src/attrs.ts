/** What a transaction carries: who asks and how. Values are interned, so equal attributes are one object.. */

/** The fields of today's QEMU; add your own by declaration merging. All default to 0 or false. */
export interface MemTxAttrsFields {
  /** The initiator gave no attributes. Cleared by giving any other field, unless set explicitly. */
  unspecified?: boolean;
  /** Arm TrustZone Secure; x86 System Management Mode. */
  secure?: boolean;
  /** Arm security space: 0 Secure, 1 Non-secure, 2 Root, 3 Realm. */
  space?: number;
  /** Unprivileged (user-mode) access. */
  user?: boolean;
  /** The initiator accepts normal memory only; a device target is refused (A-64, bulk transfers). */
  memory?: boolean;
  /** Debugger access: may write ROM, is answered by `peek` where it reads a device. */
  debug?: boolean;
  /** Bus-master id, 16 bits; PCI: bus << 8 | devfn. */
  requesterId?: number;
  /** Process id (PCI PASID), 8 bits in QEMU; up to 20 here. */
  pid?: number;
  /** PCI address type (ATS): 0 untranslated, 1 translated request. */
  addressType?: number;
}

/** One immutable, interned set of attributes. Compare with `===`. Make it with `memTxAttrs`. */
export class MemTxAttrs implements Required<MemTxAttrsFields> {
  readonly unspecified: boolean;
  readonly secure: boolean;
  readonly space: number;
  readonly user: boolean;
  readonly memory: boolean;
  readonly debug: boolean;
  readonly requesterId: number;
  readonly pid: number;
  readonly addressType: number;

  /** @internal */
  constructor(fields: MemTxAttrsFields) {
    this.unspecified = fields.unspecified ?? false;
    this.secure = fields.secure ?? false;
    this.space = fields.space ?? 0;
    this.user = fields.user ?? false;
    this.memory = fields.memory ?? false;
    this.debug = fields.debug ?? false;
    this.requesterId = fields.requesterId ?? 0;
    this.pid = fields.pid ?? 0;
    this.addressType = fields.addressType ?? 0;
    Object.freeze(this);
  }
}
