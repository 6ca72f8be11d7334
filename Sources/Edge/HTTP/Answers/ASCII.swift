/// A set of ASCII characters as two words, so that a look-up is a shift and no memory access.
struct ASCIISet {
    private let low: UInt64
    private let high: UInt64

    init(_ characters: String) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in characters.utf8 {
            if byte < 64 { low |= 1 << UInt64(byte) } else if byte < 128 { high |= 1 << UInt64(byte - 64) }
        }
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte &- 64)) & 1 == 1
    }

    private static let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let digits = "0123456789"

    /// What names of methods and header fields are made of (RFC 9110, `tchar`).
    static let token = ASCIISet(letters + digits + "!#$%&'*+-.^_`|~")
    /// A host name, an IPv4 or bracketed IPv6 address, a port.
    static let host = ASCIISet(letters + digits + "-._~!$&'()*+,;=:[]%")
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
