import HTTPTypes

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Who asks, as the reverse proxy in front of a program tells in a header; origin and edges read it alike.
///
/// | the header's value                   | is                                                          |
/// |--------------------------------------|-------------------------------------------------------------|
/// | `203.0.113.1, 192.0.2.9`             | `192.0.2.9`: the last one is the proxy's own word, what stands before it the client may have made up |
/// | `192.0.2.9:4711`, `[2001:db8::9]:80` | the address without its port, as some balancers write it     |
/// | `::ffff:192.0.2.9`                   | `192.0.2.9`: the same client                                 |
/// | `unknown`, `a.example`, empty, more than `bytesMax` bytes | nobody's: the connection's address counts |
package enum ClientAddress {
    /// Of one address: `INET6_ADDRSTRLEN` with brackets and a port.
    package static let bytesMax = 56

    /// - Parameter value: of the header; of several ones the last, or all, joined by commas.
    /// - Returns: as `inet_ntop` writes it; nil if the last one is no address.
    package static func last(in value: some BidirectionalCollection<UInt8>) -> String? {
        let start = value.lastIndex(of: UInt8(ascii: ",")).map(value.index(after:)) ?? value.startIndex
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let last = value[start...].drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard (1...bytesMax).contains(last.count) else { return nil }
        return withoutPort(String(decoding: last, as: UTF8.self)).flatMap(normal)
    }

    /// - Returns: the one spelling of an address; nil for what is none.
    package static func normal(_ text: String) -> String? {
        // Whatever else C would take, or stop at.
        guard text.utf8.allSatisfy({ isHex($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }) else {
            return nil
        }
        if let bytes = bytes(text, AF_INET, 4) { return Self.text(bytes, AF_INET) }
        guard let bytes = bytes(text, AF_INET6, 16) else { return nil }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Self.text(Array(bytes[12...]), AF_INET) : Self.text(bytes, AF_INET6)
    }

    /// What is wrong with the setting, as a sentence; nil if it names a header or nothing.
    package static func problem(header: String?) -> String? {
        guard let header, HTTPField.Name(header) == nil else { return nil }
        return "`client-address-header` is `\(header)`, which is no name of a header"
    }

    private static func withoutPort(_ text: String) -> String? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" && isPort(rest.dropFirst()) else { return nil }
            return String(text[text.index(after: text.startIndex)..<end])
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // With more colons it is IPv6 without a port.
        guard parts.count == 2 else { return text }
        return isPort(parts[1]) ? String(parts[0]) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    private static func bytes(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    private static func text(_ bytes: [UInt8], _ family: Int32) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Setting {
    /// The row that both programs have. Whether it names a header is asked of `ClientAddress.problem(header:)`.
    package static let clientAddressHeader = Setting(
        "client-address-header", .string,
        "the header in which your reverse proxy tells who asks, for the audit log and the trail of downloads, such as "
            + "X-Forwarded-For, of which the last address counts; unset: the connection's address")
}
