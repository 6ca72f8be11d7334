/// Text in HPACK's Huffman code, as far as its characters are common ones.
///
/// The code is canonical, so the lengths of its words say everything. Source: RFC 7541, 5.2 and appendix B.
enum HPACKText {
    /// The longest word that is read here: enough for paths, tags and tokens of base62.
    private static let wordBitsMax = 10

    /// Characters by the length of their words, each in the order of its words.
    private static let characters: [(bits: Int, text: String)] = [
        (5, "012aceiost"), (6, " %-./3456789=A_bdfghlmnpru"), (7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"), (8, "&*,;XZ"),
        (10, "!\"()?"),
    ]

    /// By the next ten bits: the character and, above it, the bits of its word; 0 for words that are longer.
    static let words: [UInt16] = {
        var words = [UInt16](repeating: 0, count: 1 << wordBitsMax)
        var word = 0
        var bits = characters[0].bits
        for group in characters {
            word <<= group.bits - bits
            bits = group.bits
            for character in group.text.utf8 {
                let free = wordBitsMax - bits
                for rest in 0..<(1 << free) { words[word << free | rest] = UInt16(bits) << 8 | UInt16(character) }
                word += 1
            }
        }
        return words
    }()

    /// How many bytes `decode` may write.
    static func bytesMax(_ count: Int) -> Int { count * 8 / 5 + 1 }

    /// - Parameters:
    ///   - words: `HPACKText.words`; kept by the caller, because a global is looked up behind a lock.
    ///   - space: at least `bytesMax` bytes.
    /// - Returns: how many bytes the text has; nil if it has rare characters or a wrong end.
    static func decode(
        _ code: UnsafeRawBufferPointer, _ words: [UInt16], to space: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        // The next bits, from the top.
        var bits: UInt64 = 0
        var bitCount = 0
        var place = 0
        var count = 0
        while true {
            while bitCount <= 56, place < code.count {
                bits |= UInt64(code[place]) << UInt64(56 - bitCount)
                bitCount += 8
                place += 1
            }
            let word = words[Int(bits >> UInt64(64 - wordBitsMax))]
            let length = Int(word >> 8)
            guard length > 0, length <= bitCount else { break }
            space[count] = UInt8(truncatingIfNeeded: word)
            count += 1
            bits <<= UInt64(length)
            bitCount -= length
        }
        // It is filled up with less than a byte of ones.
        guard place == code.count, bitCount < 8, bits == ~(UInt64.max >> UInt64(bitCount)) else { return nil }
        return count
    }
}
