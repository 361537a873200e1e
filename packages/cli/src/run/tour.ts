/**
 * The accesses of `guestmem run`: RAM, the end of RAM, ROM, a hole, the HPET, a device that sees attributes. What each must
 * give is written out here from the recorded behaviour of QEMU (examples E-n and rules A-n, H-n), for any machine that has the place.
 */
import { be16, be32, le16, le32, u8 } from '@guestmem/memtx';
import type { Landmarks, Stretch } from './landmarks.ts';
import { romByte } from './machine.ts';
import { ACCESS_ERROR, DECODE_ERROR, OK, type Visitor } from './visitor.ts';

const QEMU = new TextEncoder().encode('QEMU');

/** RAM: every width and both orders, at any alignment. */
export function tourRam(visitor: Visitor, { first }: Stretch): void {
  const at = first + 0x1000n;
  visitor.write(at, new Uint8Array(8), OK, 'A-60');
  visitor.store(at, u8, 0x11, OK, 'E-1');
  visitor.store(at + 1n, le16, 0x2233, OK, 'E-1');
  visitor.store(at + 3n, le32, 0x44556677, OK, 'E-1');
  visitor.read(at, Uint8Array.of(0x11, 0x33, 0x22, 0x77, 0x66, 0x55, 0x44, 0), OK, 'E-1');
  visitor.load(at + 1n, le32, 0x66772233, OK, 'E-1', 'unaligned');
  visitor.store(at, be32, 0x11223344, OK, 'E-2');
  visitor.load(at, be16, 0x1122, OK, 'E-2');
  visitor.load(at, le32, 0x44332211, OK, 'A-16');
}

/** Over the end of RAM: a transfer moves the part that fits, one load or store moves nothing. */
export function tourEndOfRam(visitor: Visitor, { last }: Stretch): void {
  visitor.write(last - 1n, QEMU, DECODE_ERROR, 'E-8', '2 in RAM');
  visitor.read(last - 1n, Uint8Array.of(0x51, 0x45, 0, 0), DECODE_ERROR, 'E-9');
  visitor.store(last - 1n, le32, 0x44332211, DECODE_ERROR, 'E-37', 'crossing');
  visitor.load(last - 1n, be16, 0x5145, OK, 'E-37', 'as before');
}

/** ROM: reads its bytes, refuses to change, and says so. */
export function tourRom(visitor: Visitor, { first }: Stretch): void {
  const space = visitor.space;
  const range = space.view.range(space.view.find(first));
  const offset = Number(range.offset);
  const content = Uint8Array.from({ length: 4 }, (_, i) => romByte(offset + i));
  visitor.read(first, content, OK, 'A-9');
  visitor.write(first, QEMU, DECODE_ERROR, 'E-11');
  visitor.store(first, le32, 0x33334444, DECODE_ERROR, 'E-42');
  visitor.read(first, content, OK, 'E-11', 'unchanged');
}

/** A hole: zeros, and a result that tells. */
export function tourHole(visitor: Visitor, { first }: Stretch): void {
  visitor.read(first, new Uint8Array(5), DECODE_ERROR, 'E-10');
  visitor.load(first, le32, 0, DECODE_ERROR, 'E-42');
  visitor.store(first, le32, 1, DECODE_ERROR, 'E-42');
}

/** The HPET: 4 aligned bytes and nothing else. `advance` moves the injected clock. */
export function tourHpet(visitor: Visitor, base: bigint, advance: (ns: number) => void): void {
  visitor.load(base, le32, 0x8086a201, OK, 'E-3, H-21', 'capabilities');
  visitor.load(base, be32, 0x01a28680, OK, 'A-16');
  visitor.read(base, Uint8Array.of(0x01, 0xa2, 0x86, 0x80, 0x80, 0x96, 0x98, 0), OK, 'E-5', '4 + 4');
  visitor.load(base, le16, 0, DECODE_ERROR, 'H-11', 'too narrow');
  visitor.load(base + 2n, le32, 0, DECODE_ERROR, 'A-31', 'unaligned');
  visitor.write(base + 0x3fen, QEMU, DECODE_ERROR, 'E-12', 'over the end');
  visitor.load(base + 0xf0n, le32, 0, OK, 'H-24', 'counter stands');
  visitor.store(base + 0x10n, le32, 1, OK, 'H-41', 'enable');
  advance(1000);
  visitor.load(base + 0xf0n, le32, 100, OK, 'H-30', '1000 ns later');
  visitor.store(base + 0x10n, le32, 0, OK, 'H-42', 'disable');
}

/** A device that answers with the requester's id: attributes reach the callback, and `memory` keeps bulk transfers away from it. */
export function tourAttributes(visitor: Visitor, at: bigint): void {
  visitor.load(at, le32, 0xffff_ffff, OK, 'A-4', 'unspecified');
  visitor.carry({ requesterId: 0x20 });
  visitor.load(at, le32, 0x20, OK, 'A-1', 'requesterId 0x20');
  visitor.carry({ requesterId: 0xfff8, secure: true });
  visitor.load(at, le32, 0x8000_fff8, OK, 'A-1', 'requesterId 0xfff8, secure');
  visitor.carry({ memory: true });
  visitor.read(at, new Uint8Array(4), ACCESS_ERROR, 'A-64', 'memory only');
  visitor.carry();
}

/** Over the end of the 64-bit space: the access goes on at 0. */
export function tourWrap(visitor: Visitor): void {
  visitor.write((1n << 64n) - 2n, QEMU, DECODE_ERROR, 'E-35', 'over 2^64');
  visitor.read(0n, Uint8Array.of(0x4d, 0x55), OK, 'E-35');
}

/** What of a machine the tour can visit, in words, for those it cannot. */
export function missing({ ram, ramEnd, rom, hole, wraps }: Landmarks): string[] {
  const places = [
    [ram, 'RAM of 16 KiB or more'],
    [ramEnd, 'an end of such RAM before a hole'],
    [rom, 'ROM'],
    [hole, 'a hole'],
    [wraps || undefined, 'RAM at 0 behind a hole at 2^64'],
  ] as const;
  return places.filter(([found]) => found === undefined).map(([, name]) => name);
}
