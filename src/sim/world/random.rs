//! Made-up but repeatable values: SplitMix64, started from the seed, a label and a number.

/// A stream of pseudo-random numbers that depends on nothing but its start.
pub(in crate::sim) struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream for the `ordinal`th thing that `label` names, in the world of `seed`.
    pub(in crate::sim) fn new(seed: u64, label: &str, ordinal: u64) -> Self {
        // FNV-1a: labels only have to differ.
        let label = label.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let mut start = Self(seed);
        let mixed = start.next() ^ label;
        let mut stream = Self(mixed.wrapping_add(ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        stream.0 = stream.next();
        stream
    }

    pub(in crate::sim) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Lower-case letters and digits.
    pub(in crate::sim) fn text(&mut self, length: usize) -> String {
        (0..length).filter_map(|_| char::from_digit((self.next() % 36) as u32, 36)).collect()
    }

    /// An upper-case UUID, as request ids are.
    pub(in crate::sim) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let node = low & 0xffff_ffff_ffff;
        format!(
            "{:08X}-{:04X}-5{:03X}-{:04X}-{node:012X}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | low >> 48 & 0x3fff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for 0 of the published reference implementation.
        let mut zero = SplitMix64(0);
        assert_eq!([zero.next(), zero.next()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn streams_differ_by_seed_label_and_ordinal() {
        let text = |seed, label, ordinal| SplitMix64::new(seed, label, ordinal).text(12);
        let base = text(1, "job", 1);
        assert_eq!(base, text(1, "job", 1));
        for other in [text(2, "job", 1), text(1, "image", 1), text(1, "job", 2)] {
            assert_ne!(base, other);
        }
    }
}
