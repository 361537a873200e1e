/**
 * A machine as data: a region tree (captured from `info mtree`, or written by hand), how much of it RAM and firmware are,
 * and which device model stands behind which region. A plain JSON value; making a machine of it is machine.ts.
 */
import type { MemoryMap } from '@guestmem/qemu-memory';

/** RAM of a chosen size, in the regions of a tree. */
export interface RamRule {
  /** Bytes without `-m`, as `0x…`. */
  readonly default: string;
  /** The most that is modelled. */
  readonly max: string;
  /** Name of the RAM region. */
  readonly block: string;
  /** Alias that shows its beginning, where the block is not placed itself. */
  readonly low?: string;
  /** At most this much of it shows there, as soon as RAM is `splitFrom` or more. */
  readonly lowMax?: string;
  readonly splitFrom?: string;
  /** Alias that shows the rest, left out where nothing is left. */
  readonly high?: string;
}

/** Where a firmware file goes. */
export interface FirmwareRule {
  /** Regions that hold a copy, from their first byte on. */
  readonly blocks: readonly string[];
  /** The region is as long as the file and ends here (exclusive), instead of having a size of its own. */
  readonly end?: string;
  /** Alias that shows its last 128 KiB, below this address (exclusive). */
  readonly mirror?: { readonly alias: string; readonly end: string };
  /** 32-bit words are turned over, as a little-endian Malta does. */
  readonly swapWords?: boolean;
}

/** A device model behind the regions of one name. Which options there are depends on the model (board/models.ts). */
export interface PlacedDevice {
  readonly model: string;
  /** Object path, for models with interrupt lines. */
  readonly path?: string;
  readonly options?: DeviceOptions;
}

/** Options of the models; each says which it takes. */
export interface DeviceOptions {
  /** `hpet`: the board's route capability (H-3). */
  readonly routeCapability?: number;
  /** `prime-cell`: identification words, 16 hex digits. */
  readonly id?: string;
  /** `prime-cell`: offsets of plain words, comma-separated. */
  readonly words?: string;
  /** `prime-cell`: does it take 4-byte accesses only? */
  readonly wide?: boolean;
  /** `virtio-mmio`: version register. */
  readonly version?: number;
}

/** A PCI function that is there from the start. */
export interface PlacedFunction {
  readonly devfn: number;
  /** `config`: nothing but its configuration space. `q35-mch`, `i440fx`: that, and the registers that edit the map; `ich9-lpc`: interrupt routes. */
  readonly model: string;
  readonly name: string;
  /** 512 hex digits each: values at power-on, and the bits that a guest can change. */
  readonly config: string;
  readonly writable: string;
  /** Bits that a system reset leaves as they are; all others go back. Absent: none. */
  readonly kept?: string;
}

/** PCI of a machine. */
export interface PciRule {
  /** Region that memory base address registers map into. */
  readonly memory: string;
  /** Region that a bus master sees. */
  readonly system: string;
  readonly functions: readonly PlacedFunction[];
  /** Interrupt line of INTA of slot s: `lines[s % 4]`. Empty: interrupts of cards are not modelled, and no card is taken. */
  readonly lines: readonly number[];
  /** Interrupt lines of INTA to INTD of slots that are wired otherwise, by slot in decimal. */
  readonly slotLines?: { readonly [slot: string]: readonly number[] };
}

/** One machine type. */
export interface MachineDefinition {
  readonly format: 'guestmem-machine';
  readonly version: 1;
  /** As after `-M`. */
  readonly name: string;
  /** Other names for it. */
  readonly aliases?: readonly string[];
  /** Program that has it, for example `qemu-system-x86_64`. */
  readonly program: string;
  readonly order: 'little' | 'big';
  /** Names of the first CPU's address space and of the I/O ports'. */
  readonly cpu: string;
  readonly ports: string;
  readonly ram: RamRule;
  readonly firmware?: FirmwareRule;
  /** Words of ROM that are the board's, with or without firmware: region, offset, 32 bits as `0x…` in the target's order. */
  readonly romWords?: readonly { readonly block: string; readonly offset: number; readonly value: string }[];
  /** Number of interrupt lines of the board. */
  readonly lines?: number;
  /** Lines that devices without a model lower at a system reset, in this order, whoever raised them. */
  readonly resetLowers?: readonly number[];
  /** By name of the region. */
  readonly devices: { readonly [region: string]: PlacedDevice };
  readonly pci?: PciRule;
  /** Machine options that take regions out: `pit=off` takes those listed under `pit`. */
  readonly options?: { readonly [option: string]: readonly string[] };
  readonly map: MemoryMap;
}
