/// What `accept-encoding` says of gzip, gathered over any number of fields.
///
/// `gzip` (or `x-gzip`) named with a weight above zero means yes, with `q=0` no; if it isn't named `*` decides; else no.
/// Source: RFC 9110, section 12.5.3.
struct AcceptEncoding {
    private var gzip: Bool?
    private var anything: Bool?

    var acceptsGzip: Bool { gzip ?? anything ?? false }

    /// True as long as no field has said anything.
    var isUnsaid: Bool { gzip == nil && anything == nil }

    mutating func read(_ value: UnsafeRawBufferPointer) {
        var rest = value
        while !rest.isEmpty {
            var item = Self.cut(&rest, at: UInt8(ascii: ","))
            let coding = Self.cut(&item, at: UInt8(ascii: ";")).trimmed
            var isWanted = true
            while !item.isEmpty, isWanted { isWanted = !Self.isZeroWeight(Self.cut(&item, at: UInt8(ascii: ";"))) }
            if coding.equals("gzip") || coding.equals("x-gzip") {
                gzip = isWanted
            } else if coding.equals("*") {
                anything = isWanted
            }
        }
    }

    /// Takes what stands before the next `mark`, or all that is left. Without an array: this is read for every request.
    private static func cut(_ rest: inout UnsafeRawBufferPointer, at mark: UInt8) -> UnsafeRawBufferPointer {
        let end = rest.firstIndex(of: mark) ?? rest.count
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(end + 1)) }
        return UnsafeRawBufferPointer(rebasing: rest[..<end])
    }

    /// True for `q=0`, `q=0.`, `q=0.0` … `q=0.000`.
    private static func isZeroWeight(_ parameter: UnsafeRawBufferPointer) -> Bool {
        let text = parameter.trimmed
        guard text.count >= 3, text[0] | 0x20 == UInt8(ascii: "q"), text[1] == UInt8(ascii: "=") else { return false }
        return text[2...].allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    }
}
