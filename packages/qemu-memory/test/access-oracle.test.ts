/** Every access that a real QEMU was given, on three targets: the same callbacks, the same refusals, the same bytes. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { type AccessCapture, replayAccesses } from '../../../tools/oracle/src/access-replay.ts';

function capture(target: string): AccessCapture {
  const file = new URL(`fixtures/access/${target}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
}

it.each([
  { target: 'x86_64', calls: 1262, refusals: 654 },
  { target: 'm68k', calls: 775, refusals: 698 },
  { target: 'ppc', calls: 1892, refusals: 689 },
])(
  'A-31 to A-45, A-60 to A-67: 500 random bulk accesses of $target meet the recorded calls, refusals and bytes',
  ({ target, calls, refusals }) => {
    const replay = replayAccesses(capture(target));
    expect(replay.differences).toEqual([]);
    expect({ ...replay, differences: 0 }).toEqual({ accesses: 500, calls, refusals, differences: 0 });
  },
);

it('A-31: the replay finds a device that takes accesses that the real one refuses', () => {
  const recorded = capture('x86_64');
  const regions = recorded.regions.map((region) =>
    region.name === 'hpet' ? { ...region, valid: { min: 1, max: 4, unaligned: false } } : region,
  );
  expect(replayAccesses({ ...recorded, regions }).differences.length).toBeGreaterThan(10);
});
