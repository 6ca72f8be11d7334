import FoundationEssentials
import Registry

/// The canonical index of a repository, as it stands in cargo's configuration and in every lock file.
struct RepositoryAddress: Hashable, Sendable, CustomStringConvertible {
    let repository: RepositoryName
    /// `https://registry.example/main/index/`
    let url: String

    /// As cargo spells the source: `sparse+https://registry.example/main/index/`.
    var description: String { "sparse+" + url }
    var isEncrypted: Bool { url.hasPrefix("https://") }

    /// - Parameter text: with or without `sparse+`, with or without the final slash.
    /// - Throws: `BenchFailure` for anything that is not `…/{repository}/index/` over HTTP.
    init(_ text: String) throws(BenchFailure) {
        var address = text.hasPrefix("sparse+") ? String(text.dropFirst("sparse+".count)) : text
        if !address.hasSuffix("/") { address += "/" }
        let parts = address.split(separator: "/").suffix(2)
        guard WebBase(address) != nil, parts.last == "index", parts.count == 2,
            let repository = try? RepositoryName(String(parts.first ?? ""))
        else {
            throw BenchFailure(
                "`\(text)` is no index of a repository: give what stands in cargo's configuration, such as "
                    + "sparse+https://registry.example/main/index/")
        }
        url = address
        self.repository = repository
    }
}

/// A plain `http` or `https` address that may be written into a TOML file and asked for paths below it.
struct WebBase: Hashable, Sendable {
    let isEncrypted: Bool
    let host: String
    let port: Int
    /// `/` or `/crates`; never ends in a slash unless it is one.
    let path: String
    /// Without a final slash.
    let url: String

    /// What stands in the `Host` header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// - Returns: nil for an address with credentials, a query, a fragment, or characters that need an escape.
    init?(_ text: String) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy(Self.isPlain), let parsed = URL(string: text),
            let scheme = parsed.scheme, ["http", "https"].contains(scheme),
            let host = parsed.host(), !host.isEmpty, parsed.user() == nil, parsed.password() == nil
        else { return nil }
        isEncrypted = scheme == "https"
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = parsed.port ?? (isEncrypted ? 443 : 80)
        var url = text[...]
        while url.last == "/" { url.removeLast() }
        self.url = String(url)
        let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last ?? ""
        path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ":/.-_~[]%".utf8.contains(byte)
        }
    }
}
