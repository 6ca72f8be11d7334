#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A set of ASCII characters as two words, so that a look-up is a shift and no memory access.
struct ASCIISet {
    private let low: UInt64
    private let high: UInt64

    /// - Parameters:
    ///   - low: a bit for each character from 0 to 63.
    ///   - high: from 64 to 127.
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte &- 64)) & 1 == 1
    }

    // Numbers, because text would be read anew, behind a lock, at each use.

    /// What names of methods and header fields are made of: letters, digits and ``!#$%&'*+-.^_`|~`` (RFC 9110, `tchar`).
    static let token = ASCIISet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    /// A host name, an IPv4 or bracketed IPv6 address, a port: letters, digits and `-._~!$&'()*+,;=:[]%`.
    static let host = ASCIISet(low: 0x2FFF_7FF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFE)
}

extension UnsafeRawBufferPointer {
    /// Without spaces and tabs at both ends.
    var trimmed: UnsafeRawBufferPointer {
        var start = startIndex
        var end = endIndex
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// Compares without regard to ASCII case.
    ///
    /// - Parameter text: in lower case.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let other = text.utf8Start
        for index in 0..<count where Self.lowered(self[index]) != other[index] { return false }
        return true
    }

    /// Compares byte for byte.
    @inline(__always)
    func isExactly(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let other = text.utf8Start
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// What a field's name is in HTTP/2: a token without capital letters.
    var isLoweredToken: Bool { !isEmpty && allSatisfy { ASCIISet.token.contains($0) && $0 &- 65 >= 26 } }

    @inline(__always)
    private static func lowered(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// What a path or query may be made of: visible ASCII, no `#`.
    var isTarget: Bool {
        allSatisfy(
            word: {
                $0 & Self.highs == 0 && !Self.has(lessThan: 0x21, $0) && !Self.has(0x7F, $0)
                    && !Self.has(UInt8(ascii: "#"), $0)
            },
            byte: { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
    }

    /// What a field's value may be made of: anything but control characters other than tab.
    var isFieldValue: Bool {
        allSatisfy(
            word: { !Self.has(lessThan: 0x20, $0) && !Self.has(0x7F, $0) },
            byte: { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
    }

    /// Eight bytes at a time; where a word does not pass, its bytes are asked.
    @inline(__always)
    private func allSatisfy(word isGood: (UInt64) -> Bool, byte isGoodByte: (UInt8) -> Bool) -> Bool {
        var place = 0
        while place < count {
            if count - place >= 8, isGood(loadUnaligned(fromByteOffset: place, as: UInt64.self)) {
                place += 8
                continue
            }
            let end = Swift.min(place + 8, count)
            while place < end {
                guard isGoodByte(self[place]) else { return false }
                place += 1
            }
        }
        return true
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Whether any of eight bytes is below a bound of at most 128.
    @inline(__always)
    private static func has(lessThan bound: UInt8, _ word: UInt64) -> Bool {
        (word &- ones &* UInt64(bound)) & ~word & highs != 0
    }

    /// Whether any of eight bytes is this one.
    @inline(__always)
    private static func has(_ byte: UInt8, _ word: UInt64) -> Bool {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & highs != 0
    }

    /// Where a byte stands first in a part of these bytes.
    @inline(__always)
    func place(of byte: UInt8, in range: Range<Int>) -> Int? {
        guard let base = baseAddress, let found = memchr(base + range.lowerBound, Int32(byte), range.count) else {
            return nil
        }
        return UnsafeRawPointer(found) - base
    }

    var isHost: Bool { allSatisfy { ASCIISet.host.contains($0) } }
}
