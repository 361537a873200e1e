//! The loop of known work of src/harness/quiet.ts: how slow this processor is just now.

use std::hint::black_box;
use std::time::Instant;

/// About a millisecond.
const ROUNDS: u32 = 700_000;
/// A sample is calm while the loop takes at most this many times its best.
const CALM: f64 = 1.08;
/// At most this many samples for each that is wanted calm.
const PATIENCE: usize = 8;

/// The known loop in this process.
pub struct Surroundings {
    words: Vec<u32>,
    /// The least it took so far, here or wherever the caller learned it: nanoseconds per round.
    pub quiet: f64,
}

impl Surroundings {
    pub fn new(quiet: f64) -> Self {
        let mut surroundings = Self { words: vec![0; 2048], quiet };
        for _ in 0..10 {
            surroundings.look();
        }
        surroundings
    }

    /// Nanoseconds per round, now.
    fn look(&mut self) -> f64 {
        let start = Instant::now();
        let mut x: u32 = 12345;
        let mut sum: u32 = 0;
        for _ in 0..black_box(ROUNDS) {
            x = x.wrapping_mul(1664525).wrapping_add(1013904223);
            sum = sum.wrapping_add(self.words[(x >> 21) as usize]);
        }
        black_box(sum);
        let took = start.elapsed().as_nanos() as f64 / f64::from(ROUNDS);
        self.quiet = self.quiet.min(took);
        took
    }

    /// Takes samples until `wanted` of them are calm, or patience ends: each with the larger of the loop's times before and after.
    pub fn samples(&mut self, wanted: usize, mut take: impl FnMut() -> f64) -> Vec<(f64, f64)> {
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let mut before = self.look();
        while taken.len() < wanted * PATIENCE
            && taken.iter().filter(|(_, around)| *around <= self.quiet * CALM).count() < wanted
        {
            let ns = take();
            let after = self.look();
            taken.push((ns, before.max(after)));
            before = after;
        }
        taken
    }
}
