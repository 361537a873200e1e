/** The documentation of a register map: a Markdown table, one line a register, fields below it. */
import type { RegisterMap, RegisterSpec } from './register-spec.ts';

/** The table of `map`, in the order of offsets, for a README. */
export function registerTable(map: RegisterMap): string {
  const rows = Object.entries<RegisterSpec>(map)
    .sort(([, a], [, b]) => a.offset - b.offset)
    .flatMap(([name, spec]) => [
      row(hex(spec.offset), name, `${spec.width}`, access(spec), hex(spec.reset ?? 0), spec.doc ?? ''),
      ...Object.entries(spec.fields ?? {}).map(([field, { shift, bits = 1, doc }]) =>
        row(
          '',
          bits === 1 ? `${shift}` : `${shift + bits - 1}..${shift}`,
          '',
          '',
          '',
          `${field}${doc === undefined ? '' : `: ${doc}`}`,
        ),
      ),
    ]);
  return [row('offset', 'name', 'bits', 'access', 'reset', 'meaning'), row(...new Array(6).fill('---')), ...rows].join(
    '\n',
  );
}

function access(spec: RegisterSpec): string {
  const parts = [
    ...(BigInt(spec.write ?? 0) === 0n ? [] : [`RW ${hex(spec.write!)}`]),
    ...(BigInt(spec.clear ?? 0) === 0n ? [] : [`W1C ${hex(spec.clear!)}`]),
  ];
  return parts.length === 0 ? 'RO' : parts.join(', ');
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}
