import FoundationEssentials

/// Sizes as people type them.
enum Bytes {
    private static let units: [(name: String, factor: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1), ("", 1),
    ]

    static func parse(_ text: String) -> Int? {
        UnitText.parse(text, units)
    }

    /// The shortest exact form: `64MiB`, or the number itself.
    static func text(_ bytes: Int) -> String {
        let exact = units.prefix(4).last { bytes != 0 && bytes % $0.factor == 0 }
        return exact.map { "\(bytes / $0.factor)\($0.name)" } ?? "\(bytes)"
    }
}

/// Times as people type them.
enum Seconds {
    private static let units: [(name: String, factor: Int)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func parse(_ text: String) -> Duration? {
        UnitText.parse(text, units).map { .milliseconds($0) }
    }

    /// The shortest exact form: `24h`, `500ms`. Finer than a millisecond is not written.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
        let exact = units.prefix(4).last { milliseconds % $0.factor == 0 }
        return exact.map { "\(milliseconds / $0.factor)\($0.name)" } ?? "\(milliseconds)ms"
    }
}

private enum UnitText {
    static func parse(_ text: String, _ units: [(name: String, factor: Int)]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits),
            let unit = units.first(where: { $0.name == text.dropFirst(digits.count) })
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : product
    }
}

enum WebAddress {
    /// - Returns: the address without a final slash, or nil if it is no absolute web address.
    static func normal(_ text: String) -> String? {
        guard let url = URL(string: text), let host = url.host(), !host.isEmpty,
            url.scheme == "http" || url.scheme == "https", url.query() == nil, url.fragment() == nil, url.user() == nil
        else { return nil }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}

/// Where a server listens: a host name or IP address and a port.
package struct SocketAddressText: Hashable, Sendable, CustomStringConvertible {
    /// Without brackets.
    package let host: String
    /// 0 means any free port.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Returns: nil unless `text` is `host:port` or `[ipv6]:port`.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
