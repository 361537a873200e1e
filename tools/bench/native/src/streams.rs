//! The address streams of the bench, the same 32-bit arithmetic as in src/streams.ts.

/// Bytes of one region; eight of them lie side by side.
pub const REGION: u64 = 64 << 20;

/// One address stream. `next` is inlined into every timed loop.
pub trait Stream {
    fn new(size: u32) -> Self;
    fn next(&mut self) -> u64;
}

/// a += size, round in one region.
pub struct Seq {
    at: u32,
    size: u32,
}
impl Stream for Seq {
    #[inline(always)]
    fn new(size: u32) -> Self {
        Seq { at: 0, size }
    }
    #[inline(always)]
    fn next(&mut self) -> u64 {
        let at = self.at;
        self.at = (at + self.size) & 0x03ff_ffff;
        u64::from(at)
    }
}

#[inline(always)]
fn lcg(x: u32) -> u32 {
    x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

macro_rules! random {
    ($name:ident, |$x:ident| $address:expr) => {
        pub struct $name(u32);
        impl Stream for $name {
            #[inline(always)]
            fn new(_size: u32) -> Self {
                $name(12345)
            }
            #[inline(always)]
            fn next(&mut self) -> u64 {
                self.0 = lcg(self.0);
                let $x = self.0;
                u64::from($address)
            }
        }
    };
}

random!(Hot, |x| (x >> 20) & 0xff8);
random!(Hot8, |x| ((x >> 20) & 0xff8) | (((x >> 14) & 7) << 26));
random!(Rand, |x| (x >> 6) & 0x03ff_fff8);
random!(Rand8, |x| (x >> 3) & 0x1fff_fff8);
