import FoundationEssentials
package import Registry

/// Another registry that a repository reads through.
package struct Upstream: Hashable, Sendable {
    package let id: Int64
    package let name: String
    package let index: UpstreamIndex
    package let filter: UpstreamFilter
    /// How long an answer is taken for current.
    package let freshSeconds: Int
    /// True: it may be at a loopback, private or link-local address.
    package let privateAllowed: Bool
}

/// Which names an upstream is asked for: those that `include` covers and `exclude` does not.
package struct UpstreamFilter: Hashable, Sendable {
    let include: [CratePattern]
    let exclude: [CratePattern]

    package init(include: [CratePattern] = [.everything], exclude: [CratePattern] = []) {
        self.include = include
        self.exclude = exclude
    }

    func covers(_ name: CrateName) -> Bool {
        include.contains { $0.covers(name) } && !exclude.contains { $0.covers(name) }
    }
}

/// The address of a sparse index, read strictly.
package struct UpstreamIndex: Hashable, Sendable, CustomStringConvertible {
    /// With the final slash, without `sparse+`.
    package let url: String

    /// - Returns: nil for anything but `http` or `https` with a host; credentials, query and fragment are refused.
    package init?(_ text: String) {
        let plain = text.hasPrefix("sparse+") ? String(text.dropFirst("sparse+".count)) : text
        guard plain.utf8.count <= 1000, let url = URL(string: plain), let host = url.host(), !host.isEmpty,
            url.scheme == "https" || url.scheme == "http", url.user() == nil, url.password() == nil,
            url.query() == nil, url.fragment() == nil
        else { return nil }
        self.url = plain.hasSuffix("/") ? plain : plain + "/"
    }

    func file(_ name: CrateName) -> String { url + name.indexPath.description }

    package var description: String { "sparse+" + url }
}
