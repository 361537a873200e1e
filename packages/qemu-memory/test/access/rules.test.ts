/** Every rule of the access specification that this package implements is in a test title, or below with the reason why not. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const SPANS = [
  [25, 57],
  [60, 100],
  [105, 107],
  [110, 125],
  [130, 144],
  [150, 168],
  [180, 197],
  [210, 220],
  [225, 231],
  [235, 247],
] as const;

/** Rules that no test of this package can observe, and why. */
const UNOBSERVABLE: Readonly<Record<string, string>> = {
  'A-68': 'not a promise but its absence: a bulk transfer may interleave with others between its steps',
  'A-69': 'an inlined variant of the bulk read for lengths known when compiling; the same outcome',
  'A-75': 'deprecation of native forms; here they exist only where a view has a target order (A-70)',
  'A-79': 'flushing instruction caches has no data effect and does nothing under TCG',
  'A-97': 'the big lock: callbacks run in the one agent that owns the machine, which plays its role',
  'A-98': 'history of opting out of the big lock',
  'A-107': 'sections are kept by references of the program, not by pointers that must not outlive a read section',
  'A-123': 'why Rust passes bytes: AtomicAccess types are not u64; codecs here name kind and size',
  'A-138': 'who uses the RFC: the HPET, which is in the package devices',
  'A-139': 'what the RFC leaves out; each item is a feature here with rules of its own',
  'A-140': 'changes that the RFC needs in the Rust crate',
  'A-141': 'what became of the RFC in QEMU',
  'A-166':
    'memory_translate_iotlb is for device assignment to the host; getIotlbEntry and mapRam give its parts (A-160, A-86)',
  'A-167':
    'CPUs behind an IOMMU flush their own TLB on a notification; there is no such CPU here (notifiers: A-162, A-163)',
  'A-231':
    'a queue of one agent is an array: callbacks are functions and do not travel (A-238); what it promises is A-246',
  'A-240': 'all interleavings: explored by tools/rcu-model; no test can show the absence of one',
  'A-241':
    'that one phase is not enough: found by tools/rcu-model and by tools/stress with the fault onePhase (two phases: A-230)',
};

function titles(): string {
  const out: string[] = [];
  for (const folder of ['.', '..', '../rcu', '../worker']) {
    const base = new URL(`${folder}/`, import.meta.url);
    for (const name of readdirSync(base).filter(
      (each) => /(\.test|-suite)\.ts$/.test(each) && each !== 'rules.test.ts',
    )) {
      const text = readFileSync(new URL(name, base), 'utf8');
      for (const match of text.matchAll(/\bit(?:\.each\([^)]*\))?\(\s*(['"`])(.*?)\1/gs)) out.push(match[2] ?? '');
    }
  }
  return out.join('\n');
}

it('each rule A-25 to A-247 of this package is in a title, or in the list of those that cannot be observed', () => {
  const text = titles();
  // "A-31 to A-45" names a span that is checked as a whole; only rules named one by one count.
  const named = new Set(
    [...text.replaceAll(/A-\d+ to A-\d+/g, '').matchAll(/A-(\d+)/g)].map((match) => Number(match[1])),
  );
  const missing: string[] = [];
  const listed: string[] = [];
  for (const [first, last] of SPANS)
    for (let n = first; n <= last; n++) {
      if (`A-${n}` in UNOBSERVABLE) listed.push(`A-${n}`);
      else if (!named.has(n)) missing.push(`A-${n}`);
    }
  expect(missing).toEqual([]);
  expect(listed).toEqual(Object.keys(UNOBSERVABLE));
});

it('each worked example E-1 to E-64 is in a title', () => {
  const text = titles();
  const missing = Array.from({ length: 64 }, (_, i) => `E-${i + 1}`).filter(
    (name) => !new RegExp(`${name}\\b`).test(text),
  );
  expect(missing).toEqual([]);
});
