/**
 * What must and what must not compile; `tsc` is the test: an error that does not come is an error ("unused
 * '@ts-expect-error' directive"). Nothing here runs.
 */
import { attributed } from '@guestmem/memtx';
import type { AddressSpace, MemoryCore, MemoryRegionOps } from '@guestmem/qemu-memory';
import type { GuestMemory } from '@guestmem/vm-memory';
import {
  type Clock,
  type ClockTimer,
  type DeviceEvents,
  defineRegisters,
  driveByRealTime,
  Edu,
  Hpet,
  InterruptLine,
  MachineError,
  NO_EVENTS,
  QtestServer,
  RegisterFile,
  type RegisterMap,
  VirtualClock,
} from '../src/index.ts';

declare const core: MemoryCore;
declare const memory: AddressSpace;
declare const plain: GuestMemory;
declare function is<T>(value: T): void;

const MAP = defineRegisters({
  CTRL: { offset: 0x0, width: 32, write: 0x3, fields: { ENABLE: { shift: 0 }, MODE: { shift: 1 } } },
  COUNT: { offset: 0x8, width: 64, reset: 1n, write: 0xffn },
  STATUS: { offset: 0x10, width: 8, clear: 1 },
});
declare const file: RegisterFile<typeof MAP>;

/** Names, fields and kinds of values are those of the map. */
export function registers(): void {
  is<number>(file.get('CTRL'));
  is<bigint>(file.get('COUNT'));
  is<number>(file.field('CTRL', 'MODE'));
  file.set('COUNT', 5n);
  file.setField('CTRL', 'ENABLE', 1);
  // @ts-expect-error 64 bits are a bigint
  is<number>(file.get('COUNT'));
  // @ts-expect-error 32 bits are a number
  is<bigint>(file.get('CTRL'));
  // @ts-expect-error and so when they are set
  file.set('COUNT', 5);
  // @ts-expect-error a bigint is too much for 8 bits
  file.set('STATUS', 1n);
  // @ts-expect-error it is STATUS
  file.get('STATE');
  // @ts-expect-error it is MODE
  file.field('CTRL', 'MOD');
  // @ts-expect-error STATUS has no fields
  file.field('STATUS', 'ENABLE');
  // @ts-expect-error a field is a number
  file.setField('CTRL', 'ENABLE', true);
}

/** What a hook is given is of its register's kind. */
export function hooks(): void {
  is<MemoryRegionOps>(
    new RegisterFile(MAP, {
      CTRL: { onWrite: (value, old, written) => is<number>(value ^ old ^ written) },
      COUNT: { get: () => 5n, onRead: (value) => is<bigint>(value) },
    }).ops,
  );
  // @ts-expect-error a hook of a register that is not there
  new RegisterFile(MAP, { STATE: { onWrite: () => {} } });
  // @ts-expect-error it is onWrite
  new RegisterFile(MAP, { CTRL: { write: () => {} } });
  // @ts-expect-error what a wide register shows is a bigint
  new RegisterFile(MAP, { COUNT: { get: () => 5 } });
  // @ts-expect-error what a narrow one shows is a number
  new RegisterFile(MAP, { CTRL: { get: () => 5n } });
  // @ts-expect-error no such size
  new RegisterFile(MAP, {}, { maxAccessSize: 3 });
  // @ts-expect-error an order of bytes
  new RegisterFile(MAP, {}, { endianness: 'host' });
}

/** A map says nothing that is not looked at. */
export function maps(): void {
  // @ts-expect-error no register has 24 bits
  defineRegisters({ ID: { offset: 0, width: 24 } });
  // @ts-expect-error 64 bits are reset to a bigint
  defineRegisters({ ID: { offset: 0, width: 64, reset: 1 } });
  // @ts-expect-error 32 bits to a number
  defineRegisters({ ID: { offset: 0, width: 32, reset: 1n } });
  // @ts-expect-error a field begins somewhere
  defineRegisters({ ID: { offset: 0, width: 32, fields: { LOW: { bits: 4 } } } });
  // @ts-expect-error it is offset
  defineRegisters({ ID: { at: 0, width: 32 } });
  const typed: RegisterMap = MAP;
  is<number | bigint>(new RegisterFile(typed).get('CTRL'));
}

/** A clock, a line and an observer of the user's own are as good as ours. */
export function handedIn(lines: readonly InterruptLine[]): void {
  const timer: ClockTimer = { arm: () => {}, cancel: () => {}, deadline: null, order: 0 };
  const clock: Clock = {
    now: 0,
    timer(expired) {
      is<() => void>(expired);
      return timer;
    },
  };
  const events: DeviceEvents = { count: (event) => is<string>(event) };
  core.io('hpet', 0x400, new Hpet({ clock, memory, outputs: [{ set: (level) => is<number>(level) }], events }).ops);
  core.io('edu', 0x10_0000, new Edu({ clock, memory: attributed(plain), interrupt: lines[0]!, events: NO_EVENTS }).ops);
  new InterruptLine('irq').observe((high) => is<boolean>(high)).dispose();
  driveByRealTime(new VirtualClock(), { nowMs: () => performance.now(), setTimeout, clearTimeout });
  // @ts-expect-error a device has a clock
  new Hpet({ memory, outputs: lines });
  // @ts-expect-error it is outputs
  new Hpet({ clock, memory, lines });
  // @ts-expect-error plain memory carries no attributes: attributed() it
  new Edu({ clock, memory: plain, interrupt: lines[0]! });
  // @ts-expect-error a line is more than a callback
  new Edu({ clock, memory, interrupt: (level: number) => is<number>(level) });
  // @ts-expect-error levels are numbers: the number of sources that hold it up
  new InterruptLine('irq').set(true);
  // @ts-expect-error nanoseconds are numbers or bigints
  new VirtualClock().advanceBy('1 ms');
  // @ts-expect-error no such code
  new MachineError('bad', 'text');
  // @ts-expect-error a server has a machine
  new QtestServer(core, () => {});
}
