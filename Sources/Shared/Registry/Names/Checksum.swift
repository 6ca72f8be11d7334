/// A SHA-256, the key under which origin and edges keep a blob.
///
/// 32 bytes; written as 64 lower-case hex digits, because cargo compares the text.
/// Source: docs/PROTOCOL.md, B14.
package struct Checksum: Hashable, Sendable, CustomStringConvertible {
    package static let bytesCount = 32

    /// Exactly 32.
    package let bytes: [UInt8]

    /// - Returns: nil unless there are exactly 32 bytes.
    package init?(bytes: some Sequence<UInt8>) {
        let all = [UInt8](bytes)
        guard all.count == Self.bytesCount else { return nil }
        self.bytes = all
    }

    /// Reads 64 lower-case hex digits; upper case is refused, since cargo would not find it equal.
    package init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        guard digits.count == 2 * Self.bytesCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytesCount)
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[place].hexValue, let low = digits[place + 1].hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 2 * Self.bytesCount) { text in
            for (place, byte) in bytes.enumerated() {
                text[2 * place] = Self.digits[Int(byte >> 4)]
                text[2 * place + 1] = Self.digits[Int(byte & 15)]
            }
            return 2 * Self.bytesCount
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

extension UInt8 {
    fileprivate var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
