/** The machines that come along: captured trees with devices on them, one JSON file each. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Machine, type MachineDefinition, machineConfig, type QemuArguments } from '@guestmem/devices';
import { UserError } from '../files.ts';
import { reasonOf } from '../reasons.ts';

const FOLDER = new URL('../../captures/machines/', import.meta.url);

/** Every definition that comes along. */
export function allMachines(): MachineDefinition[] {
  return readdirSync(fileURLToPath(FOLDER))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));
}

/**
 * The definition that a program and a machine name mean.
 *
 * @param program as `qemu-system-x86_64`, or any name that ends in `-system-` and an architecture (Q-90); undefined: any program.
 * @throws {UserError} none, or more than one.
 */
export function findMachine(name: string | undefined, program: string | undefined): MachineDefinition {
  const machines = allMachines();
  const architecture = program?.replace(/^.*-system-/, '');
  const listed = (found: readonly MachineDefinition[]): string =>
    found.map((machine) => `${machine.name} (${machine.program})`).join(', ');
  if (name === undefined) throw new UserError(`which machine? Give -M and one of ${listed(machines)}`);
  const found = machines.filter(
    (machine) =>
      (machine.name === name || machine.aliases?.includes(name) === true) &&
      (architecture === undefined || machine.program === `qemu-system-${architecture}`),
  );
  if (found.length === 0)
    throw new UserError(
      `the machine '${name}'${program === undefined ? '' : ` of ${program}`} is not modelled here; ${listed(machines)} are`,
    );
  if (found.length > 1) throw new UserError(`'${name}' is ${listed(found)}; choose with --program`);
  return found[0]!;
}

/**
 * Makes a machine.
 *
 * @param folder where a relative firmware file name is looked up.
 * @throws {UserError} an unreadable file. @throws {MachineError} an option that the machine does not have.
 */
export function makeMachine(args: QemuArguments, program: string | undefined, folder: string): Machine {
  const definition = findMachine(args.machine, program);
  const firmware = args.firmware === undefined ? null : readBytes(resolve(folder, args.firmware));
  return new Machine(definition, machineConfig(definition, args), firmware);
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UserError(`cannot read the firmware ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** The folder of a file, for names that it holds. */
export function folderOf(path: string): string {
  return dirname(resolve(path));
}
