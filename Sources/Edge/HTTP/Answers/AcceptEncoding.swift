/// What `accept-encoding` says of gzip, gathered over any number of fields.
///
/// `gzip` (or `x-gzip`) named with a weight above zero means yes, with `q=0` no; if it isn't named `*` decides; else no.
/// Source: RFC 9110, section 12.5.3.
struct AcceptEncoding {
    private var gzip: Bool?
    private var anything: Bool?

    var acceptsGzip: Bool { gzip ?? anything ?? false }

    mutating func read(_ value: UnsafeRawBufferPointer) {
        for item in value.split(separator: UInt8(ascii: ",")) {
            let parts = item.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            guard let first = parts.first else { continue }
            let coding = UnsafeRawBufferPointer(rebasing: first).trimmed
            let wanted = parts.dropFirst().allSatisfy { !Self.isZeroWeight(UnsafeRawBufferPointer(rebasing: $0)) }
            if coding.equals("gzip") || coding.equals("x-gzip") {
                gzip = wanted
            } else if coding.equals("*") {
                anything = wanted
            }
        }
    }

    /// True for `q=0`, `q=0.`, `q=0.0` … `q=0.000`.
    private static func isZeroWeight(_ parameter: UnsafeRawBufferPointer) -> Bool {
        let text = parameter.trimmed
        guard text.count >= 3, text[0] | 0x20 == UInt8(ascii: "q"), text[1] == UInt8(ascii: "=") else { return false }
        return text[2...].allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    }
}
