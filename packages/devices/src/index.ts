export type { BoardContext, DeviceModel } from './board/context.ts';
export { DEVICE_MODELS } from './board/models.ts';
export type { Clock, ClockTimer, Nanoseconds } from './clock/clock.ts';
export { addNanoseconds, toNanoseconds } from './clock/clock.ts';
export type { HostTime, RealTimeDriver, RealTimeOptions } from './clock/real-time.ts';
export { driveByRealTime } from './clock/real-time.ts';
export type { ClockTurn, VirtualClockOptions } from './clock/virtual-clock.ts';
export { VirtualClock } from './clock/virtual-clock.ts';
export type { EduOptions, MessageInterrupt } from './edu/edu.ts';
export { Edu, EduEvent } from './edu/edu.ts';
export type { PciEduOptions, PciEduState } from './edu/pci-edu.ts';
export { PciEdu } from './edu/pci-edu.ts';
export { EDU_SIZE } from './edu/registers.ts';
export type { EduState } from './edu/state.ts';
export type { DeviceEvents } from './events.ts';
export { EventCounts, NO_EVENTS } from './events.ts';
export type { HpetOptions } from './hpet/hpet.ts';
export { Hpet } from './hpet/hpet.ts';
export { HpetEvent } from './hpet/interrupts.ts';
export { HPET_SIZE } from './hpet/registers.ts';
export type { HpetState, HpetTimerState } from './hpet/state.ts';
export type { Connection, InterruptSink } from './irq/interrupt-line.ts';
export { InterruptLine, WiredOr } from './irq/interrupt-line.ts';
export type { ChannelAddress, QemuArguments } from './machine/arguments.ts';
export { machineConfig, parseQemuArguments } from './machine/arguments.ts';
export type { CardConfig, MachineConfig } from './machine/config.ts';
export type {
  DeviceOptions,
  FirmwareRule,
  MachineDefinition,
  PciRule,
  PlacedDevice,
  PlacedFunction,
  RamRule,
} from './machine/definition.ts';
export type { MachineErrorCode } from './machine/error.ts';
export { MachineError } from './machine/error.ts';
export { Machine } from './machine/machine.ts';
export { ConfigSpace } from './pci/config-space.ts';
export type { PciTarget } from './pci/pci-bus.ts';
export { PciBus } from './pci/pci-bus.ts';
export type { PciBusWiring, PciFunctionState, PciIdentity } from './pci/pci-function.ts';
export { PciEvent, PciFunction } from './pci/pci-function.ts';
export type { QtestDevice, QtestMachine } from './qtest/machine.ts';
export type { QmpMachine, QmpOptions } from './qtest/qmp.ts';
export { QmpServer } from './qtest/qmp.ts';
export type { ReplayDifference, ReplayMachine, ReplayOptions, ReplayResult } from './qtest/replay.ts';
export { replayTranscript } from './qtest/replay.ts';
export type { QtestServerOptions, QtestTurns } from './qtest/server.ts';
export { QtestServer } from './qtest/server.ts';
export type { Transcript, TranscriptStep } from './qtest/transcript.ts';
export { parseTranscript, TranscriptError } from './qtest/transcript.ts';
export type { RegisterFileOptions, RegisterHooks, RegisterHooksOf } from './registers/register-file.ts';
export { RegisterFile } from './registers/register-file.ts';
export type {
  FieldName,
  FieldSpec,
  NarrowRegisterSpec,
  RegisterMap,
  RegisterSpec,
  RegisterValue,
  WideRegisterSpec,
} from './registers/register-spec.ts';
export { defineRegisters } from './registers/register-spec.ts';
export { registerTable } from './registers/register-table.ts';
export type { DeviceStateErrorCode } from './state-error.ts';
export { DeviceStateError } from './state-error.ts';
