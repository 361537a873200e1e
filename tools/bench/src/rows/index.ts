/** All rows. A row's packages are loaded when it is built, so that a process holds only what it measures. */
import type { Row } from '../harness/row.ts';
import { variantRows } from '../variants/index.ts';
import { addressSpaceRows } from './address-space.ts';
import { emulatorRows } from './emulator.ts';
import { floorRows } from './floor.ts';
import { nativeRows } from './native.ts';
import { rp2040Rows } from './rp2040.ts';
import { v86Rows } from './v86.ts';
import { vmMemoryRows } from './vm-memory.ts';

export const rows: readonly Row[] = [
  ...floorRows,
  ...nativeRows,
  ...v86Rows,
  ...rp2040Rows,
  ...vmMemoryRows,
  ...addressSpaceRows,
  ...emulatorRows,
  ...variantRows,
];

/** @throws {Error} no row has this id. */
export async function findRow(id: string): Promise<Row> {
  const row = rows.find((known) => known.id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
}
