//! Times one row of the native peer: `guestmem-bench-native ROW STREAM OP COUNT SAMPLES CHECK QUIET`.
//!
//! ROW is plain, bitmap, atomic or atomic-bitmap; STREAM seq, hot, hot8, rand, rand8 (bulk: hot); OP an access.
//! Prints one JSON line: the checksum of the first CHECK accesses, samples as src/harness/quiet.ts has them, and the least that its
//! known loop took.

mod clock;
mod quiet;
mod streams;

use std::hint::black_box;
use std::sync::atomic::Ordering;

use streams::{Hot, Hot8, Rand, Rand8, Seq, Stream, REGION};
use vm_memory::bitmap::AtomicBitmap;
use vm_memory::{Bytes, GuestAddress, GuestAddressSpace, GuestMemory, GuestMemoryAtomic, GuestMemoryMmap, GuestMemoryRegion};

/// How the memory of one access is reached: directly, or through the published snapshot each time.
trait Reach {
    type M: GuestMemory;
    fn with<T>(&self, f: impl FnOnce(&Self::M) -> T) -> T;
}

struct Plain<M: GuestMemory>(M);
impl<M: GuestMemory> Reach for Plain<M> {
    type M = M;
    #[inline(always)]
    fn with<T>(&self, f: impl FnOnce(&M) -> T) -> T {
        f(&self.0)
    }
}

struct Atomic<M: GuestMemory>(GuestMemoryAtomic<M>);
impl<M: GuestMemory> Reach for Atomic<M> {
    type M = M;
    #[inline(always)]
    fn with<T>(&self, f: impl FnOnce(&M) -> T) -> T {
        f(&*self.0.memory())
    }
}

/// The word of memory at a multiple of 8: what every peer is filled with before it is checked.
fn word(addr: u64) -> u64 {
    let low = (addr as u32).wrapping_mul(2_654_435_761);
    u64::from(low) | (((addr >> 3) & 1) << 32)
}

/// Fills the first `limit` bytes of each region.
fn fill<M: GuestMemory>(memory: &M, limit: u64) {
    for region in memory.iter() {
        let mut chunk = vec![0u8; 1 << 16];
        let mut at = 0;
        while at < region.len().min(limit) {
            for (i, bytes) in chunk.chunks_exact_mut(8).enumerate() {
                bytes.copy_from_slice(&word(region.start_addr().0 + at + i as u64 * 8).to_le_bytes());
            }
            memory.write_slice(&chunk, GuestAddress(region.start_addr().0 + at)).unwrap();
            at += chunk.len() as u64;
        }
    }
}

/// One timed loop: a stream, an access, `count` times.
macro_rules! kernel {
    ($reach:expr, $stream:ty, $size:expr, $count:expr, |$m:ident, $a:ident, $i:ident, $sum:ident| $body:expr) => {{
        let mut stream = <$stream>::new($size);
        let mut $sum: u64 = 0;
        for $i in 0..$count {
            let $a = GuestAddress(stream.next());
            let _ = $i;
            $reach.with(|$m| $body);
        }
        $sum
    }};
}

fn scalar<R: Reach, S: Stream>(reach: &R, op: &str, count: u32) -> u64 {
    let o = Ordering::Relaxed;
    match op {
        "load32" => kernel!(reach, S, 4, count, |m, a, i, sum| sum += u64::from(m.load::<u32>(a, o).unwrap())),
        "load64" => kernel!(reach, S, 8, count, |m, a, i, sum| sum = sum.wrapping_add(m.load::<u64>(a, o).unwrap())),
        "store32" => kernel!(reach, S, 4, count, |m, a, i, sum| {
            sum += 1;
            m.store::<u32>(i, a, o).unwrap()
        }),
        "store64" => kernel!(reach, S, 8, count, |m, a, i, sum| {
            sum += 1;
            m.store::<u64>(u64::from(i), a, o).unwrap()
        }),
        "readObj32" => kernel!(reach, S, 4, count, |m, a, i, sum| sum += u64::from(m.read_obj::<u32>(a).unwrap())),
        "readObj64" => kernel!(reach, S, 8, count, |m, a, i, sum| sum = sum.wrapping_add(m.read_obj::<u64>(a).unwrap())),
        "writeObj32" => kernel!(reach, S, 4, count, |m, a, i, sum| {
            sum += 1;
            m.write_obj::<u32>(i, a).unwrap()
        }),
        "writeObj64" => kernel!(reach, S, 8, count, |m, a, i, sum| {
            sum += 1;
            m.write_obj::<u64>(u64::from(i), a).unwrap()
        }),
        // One store on each 4 KiB page in turn: with a bitmap that was cleared, every store marks a clean page.
        "touch32" => {
            let mut sum: u64 = 0;
            for i in 0..count {
                let a = GuestAddress(u64::from((i << 12) & 0x03ff_ffff));
                sum += 1;
                reach.with(|m| m.store::<u32>(i, a, o).unwrap());
            }
            sum
        }
        _ => panic!("no such access: {op}"),
    }
}

fn bulk<R: Reach>(reach: &R, op: &str, length: usize, count: u32) -> u64 {
    let mut buffer = vec![0u8; length];
    let mut sum: u64 = 0;
    let mut stream = Hot::new(8);
    for _ in 0..count {
        let a = GuestAddress(stream.next());
        match op {
            "read" => {
                reach.with(|m| m.read_slice(&mut buffer, a).unwrap());
                sum += u64::from(black_box(&buffer)[0]);
            }
            _ => {
                buffer[0] = buffer[0].wrapping_add(1);
                reach.with(|m| m.write_slice(black_box(&buffer), a).unwrap());
                sum += 1;
            }
        }
    }
    sum
}

fn one<R: Reach>(reach: &R, stream: &str, op: &str, count: u32) -> u64 {
    match op.split_once(':') {
        Some((direction, length)) => bulk(reach, direction, length.parse().unwrap(), count),
        None => match stream {
            "seq" => scalar::<R, Seq>(reach, op, count),
            "hot" => scalar::<R, Hot>(reach, op, count),
            "hot8" => scalar::<R, Hot8>(reach, op, count),
            "rand" => scalar::<R, Rand>(reach, op, count),
            "rand8" => scalar::<R, Rand8>(reach, op, count),
            _ => panic!("no such stream: {stream}"),
        },
    }
}

/// The sum of all 32-bit words of the first 8 KiB of each region: what stores leave behind.
fn residue<R: Reach>(reach: &R) -> u64 {
    reach.with(|m| {
        let mut sum: u64 = 0;
        for region in m.iter() {
            let mut bytes = vec![0u8; 8192];
            m.read_slice(&mut bytes, region.start_addr()).unwrap();
            for word in bytes.chunks_exact(4) {
                sum += u64::from(u32::from_le_bytes(word.try_into().unwrap()));
            }
        }
        sum
    })
}

fn run<R: Reach>(reach: &R, clean: impl Fn(), args: &[String]) {
    let (stream, op) = (&args[2], &args[3]);
    let count: u32 = args[4].parse().unwrap();
    let samples: usize = args[5].parse().unwrap();
    let check: u32 = args[6].parse().unwrap();
    reach.with(|m| fill(m, if stream.starts_with("hot") { 4 << 20 } else { REGION }));
    let sum = one(reach, stream, op, check);
    let left = residue(reach);
    one(reach, stream, op, count);
    // A first touch happens once a page, so the bitmap is cleared, untimed, after every round of 2^14 pages.
    let step = if op == "touch32" { count.min(1 << 14) } else { count };
    let mut surroundings = quiet::Surroundings::new(args[7].parse().unwrap());
    let samples = surroundings.samples(samples, || {
        let mut spent = 0;
        let mut done = 0;
        while done < count {
            if op == "touch32" {
                clean();
            }
            let start = clock::cpu_ns();
            black_box(one(reach, stream, op, black_box(step)));
            spent += clock::cpu_ns() - start;
            done += step;
        }
        spent as f64 / f64::from(done)
    });
    let samples: Vec<String> =
        samples.iter().map(|(ns, around)| format!("{{\"ns\":{ns:.4},\"around\":{around:.4}}}")).collect();
    println!(
        "{{\"sum\":\"{sum}\",\"residue\":\"{left}\",\"samples\":[{}],\"quiet\":{:.4}}}",
        samples.join(","),
        surroundings.quiet
    );
}

fn ranges(stream: &str) -> Vec<(GuestAddress, usize)> {
    let regions = if stream.ends_with('8') { 8 } else { 1 };
    (0..regions).map(|i| (GuestAddress(i * REGION), REGION as usize)).collect()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 8 {
        eprintln!("usage: guestmem-bench-native ROW STREAM OP COUNT SAMPLES CHECK QUIET");
        std::process::exit(2);
    }
    let ranges = ranges(&args[2]);
    let plain = || GuestMemoryMmap::<()>::from_ranges(&ranges).unwrap();
    let tracked = || GuestMemoryMmap::<AtomicBitmap>::from_ranges(&ranges).unwrap();
    let clean = |m: &GuestMemoryMmap<AtomicBitmap>| m.iter().for_each(|r| r.bitmap().reset());
    match args[1].as_str() {
        "plain" => run(&Plain(plain()), || (), &args),
        "atomic" => run(&Atomic(GuestMemoryAtomic::new(plain())), || (), &args),
        "bitmap" => {
            let memory = tracked();
            run(&Plain(memory.clone()), || clean(&memory), &args)
        }
        "atomic-bitmap" => {
            let memory = tracked();
            run(&Atomic(GuestMemoryAtomic::new(memory.clone())), || clean(&memory), &args)
        }
        row => panic!("no such row: {row}"),
    }
}
