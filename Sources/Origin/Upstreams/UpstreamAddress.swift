import FoundationEssentials
import Hosting
import Registry

/// The address of a sparse index, read strictly.
package struct UpstreamIndex: Hashable, Sendable, CustomStringConvertible {
    /// With the final slash, without `sparse+`.
    package let url: String
    let address: UpstreamAddress

    /// - Returns: nil for anything but `http` or `https` with a host; credentials, query and fragment are refused.
    package init?(_ text: String) {
        let plain = text.hasPrefix("sparse+") ? String(text.dropFirst("sparse+".count)) : text
        guard plain.utf8.count <= 1000, let address = UpstreamAddress(plain), !address.hasQuery else { return nil }
        url = address.url.hasSuffix("/") ? address.url : address.url + "/"
        self.address = address
    }

    func file(_ name: CrateName) -> String { url + name.indexPath.description }

    package var description: String { "sparse+" + url }
}

/// Where a request to an upstream goes: `http` or `https`, a host, no user.
struct UpstreamAddress: Hashable, Sendable, CustomStringConvertible {
    /// With the host as `host` spells it, since connections are pinned by that spelling.
    let url: String
    let isEncrypted: Bool
    let host: UpstreamHost
    let port: Int
    let hasQuery: Bool

    /// - Returns: nil for what is no such address; a fragment is refused.
    init?(_ text: String) {
        guard let url = URL(string: text), let name = url.host(), let host = UpstreamHost(name),
            url.scheme == "https" || url.scheme == "http", url.user() == nil, url.password() == nil,
            url.fragment() == nil, let spelled = Self.spelled(text, name, host)
        else { return nil }
        self.url = spelled
        self.host = host
        isEncrypted = url.scheme == "https"
        port = url.port ?? (isEncrypted ? 443 : 80)
        hasQuery = url.query() != nil
    }

    /// - Parameter location: absolute or relative, as in the header of this name; its fragment is dropped.
    /// - Returns: nil for what is no address.
    func target(_ location: String) -> UpstreamAddress? {
        guard location.utf8.count <= 8192, let base = URL(string: url) else { return nil }
        let plain = location.prefix { $0 != "#" }
        return URL(string: String(plain), relativeTo: base).flatMap { UpstreamAddress($0.absoluteString) }
    }

    func isSameOrigin(as other: UpstreamAddress) -> Bool {
        host == other.host && port == other.port && isEncrypted == other.isEncrypted
    }

    private static func spelled(_ text: String, _ name: String, _ host: UpstreamHost) -> String? {
        if name == host.description || "[\(name)]" == host.description { return text }
        guard var parts = URLComponents(string: text) else { return nil }
        parts.host = host.description
        return parts.string
    }

    /// Without a query, which may be a signature.
    var description: String { hasQuery ? String(url.prefix { $0 != "?" }) + "?…" : url }
}

/// The name of a host in lower case, or an address of IPv4 or, in brackets, IPv6.
package struct UpstreamHost: Hashable, Sendable, CustomStringConvertible {
    /// Hosts that an upstream may have besides its own.
    static let countMax = 16

    package let description: String

    /// - Returns: nil for what is no host; a port does not belong to it.
    package init?(_ text: String) {
        let lowered = text.lowercased()
        let isBracketed = lowered.hasPrefix("[") && lowered.hasSuffix("]")
        let inner = isBracketed ? lowered.dropFirst().dropLast() : lowered[...]
        let isNumber = isBracketed || lowered.contains(":")
        let allowed = isNumber ? "abcdef0123456789:." : "abcdefghijklmnopqrstuvwxyz0123456789-._"
        guard (1...253).contains(inner.utf8.count), inner.allSatisfy({ allowed.contains($0) }) else { return nil }
        // Two colons at least: with one it is a host with a port.
        let colons = inner.count { $0 == ":" }
        guard isBracketed ? colons >= 2 : colons == 0 || colons >= 2 else { return nil }
        description = colons > 0 ? "[\(inner)]" : String(inner)
    }

    /// Written as an address that is not of the public internet; a name may turn out to be at one, too.
    var isPrivateByName: Bool { plain == "localhost" || IPAddress.isOne(plain) && PrivateAddress.isPrivate(plain) }

    /// As a resolver takes it.
    var plain: String { description.hasPrefix("[") ? String(description.dropFirst().dropLast()) : description }
}
