import { HPET_SIZE, Hpet, InterruptLine, VirtualClock } from '@guestmem/devices';
import { le32 } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';

// A machine: an address space, a clock that we turn, 24 interrupt lines.
const core = new MemoryCore();
const system = core.container('system', 1n << 64n);
const memory = core.addressSpace(system, 'memory');
const clock = new VirtualClock();
const lines = Array.from({ length: 24 }, (_, i) => new InterruptLine(`line ${i}`));

// The device is handed all it needs; where it is mapped is the board's business.
const hpet = new Hpet({ clock, memory, outputs: lines, msi: true });
system.addSubregion(0xfed0_0000, core.io('hpet', HPET_SIZE, hpet.ops, { owner: hpet }));
lines[20]!.observe((high) => console.log(`line 20 ${high ? 'up' : 'down'} at ${clock.now} ns`));

// What a guest's driver does: timer 0, level, routed to line 20, due at 100 ticks of 10 ns.
memory.store(0xfed0_0100, le32, 0x2806);
memory.store(0xfed0_0108, le32, 100);
memory.store(0xfed0_010c, le32, 0);
memory.store(0xfed0_0010, le32, 1);

clock.advanceBy(5000); // line 20 up at 1000 ns
console.log(memory.load(0xfed0_00f0, le32)); // 500
memory.store(0xfed0_0020, le32, 1); // line 20 down at 5000 ns

// Save, restore, go on: the state is plain JSON.
const state = JSON.stringify(hpet.state());
const copy = Hpet.fromState(JSON.parse(state), { clock, memory, outputs: lines });
console.log(copy.ops.peek?.(0xf0, 4)); // 500
