/** The device models that a machine definition can name. */
import { primeCell, virtioMmio } from './arm.ts';
import type { DeviceModel } from './context.ts';
import { fwCfgControl, fwCfgData } from './fw-cfg.ts';
import { hpet } from './hpet.ts';
import { cmosRtc, ich9ResetControl, ioapic, piix3ResetControl, port92 } from './isa.ts';
import { ones, zero } from './plain.ts';

/** By the name in `PlacedDevice.model`. */
export const DEVICE_MODELS: Readonly<Record<string, DeviceModel>> = {
  hpet,
  ioapic,
  'cmos-rtc': cmosRtc,
  'reset-control': ich9ResetControl,
  'piix3-reset-control': piix3ResetControl,
  port92,
  'pci-address': ({ pci }) => pci.addressOps,
  'pci-data': ({ pci }) => pci.dataOps,
  'fw-cfg-control': fwCfgControl,
  'fw-cfg-data': fwCfgData,
  'prime-cell': primeCell,
  'virtio-mmio': virtioMmio,
  ones,
  zero,
};
