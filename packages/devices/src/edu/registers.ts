/** Offsets and bits of the edu device's registers. E-12 to E-16, E-41, E-45. */

/** Bytes of the register region. */
export const EDU_SIZE = 0x10_0000;
/** Bytes of the DMA buffer, and the address at which transfers name its first byte. */
export const BUFFER_SIZE = 0x1000;
export const BUFFER_BASE = 0x4_0000n;

export const IDENTIFICATION = 0x00; // RO, 32
export const LIVENESS = 0x04; // RW, 32, reads the complement
export const FACTORIAL = 0x08; // RW, 32
export const STATUS = 0x20; // RW, 32, bit 7
export const INTERRUPT_STATUS = 0x24; // RO, 32
export const INTERRUPT_RAISE = 0x60; // WO, 32
export const INTERRUPT_ACKNOWLEDGE = 0x64; // WO, 32
export const DMA_SOURCE = 0x80; // RW, 64
export const DMA_DESTINATION = 0x88; // RW, 64
export const DMA_COUNT = 0x90; // RW, 64
export const DMA_COMMAND = 0x98; // RW, 64

export const IDENTIFICATION_VALUE = 0x0100_00ed;

// STATUS
export const STATUS_COMPUTING = 0x01;
export const STATUS_INTERRUPT = 0x80;
// INTERRUPT_STATUS
export const INTERRUPT_FACTORIAL = 0x0000_0001;
export const INTERRUPT_DMA = 0x0000_0100;
// DMA_COMMAND
export const DMA_START = 0x1n;
export const DMA_TO_BUS = 0x2n;
export const DMA_INTERRUPT = 0x4n;
