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
    var isTarget: Bool { allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") } }

    /// What a field's value may be made of: anything but control characters other than tab.
    var isFieldValue: Bool { allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }

    var isHost: Bool { allSatisfy { ASCIISet.host.contains($0) } }
}
