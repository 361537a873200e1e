import { Bus, ByteDevice } from './support/bus.ts';
import { orderGrid } from './support/order-grid.ts';

orderGrid('a bus of RAM and byte-array devices', (target) => {
  const bus = new Bus();
  bus.ram(0x1000, 64);
  const devices = [
    bus.device(0x2000, new ByteDevice(64, 'little')),
    bus.device(0x3000, new ByteDevice(64, 'big')),
    bus.device(0x4000, new ByteDevice(64, target)),
  ];
  return {
    memory: bus,
    at: { ram: 0x1000, little: 0x2000, big: 0x3000, native: 0x4000 },
    takeCalls: () => devices.flatMap((device) => device.calls.splice(0)),
  };
});
