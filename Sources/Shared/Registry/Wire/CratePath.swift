/// The part of a download address that names one file: `{name}/{version}/{sha256}.crate`.
///
/// The hash in the path makes the object immutable, whatever the index says later.
/// `+` of build metadata stands as it is or as `%2B`; nothing else may be encoded.
/// Source: docs/PROTOCOL.md, "Addresses".
package struct CratePath: Hashable, Sendable, CustomStringConvertible {
    package let name: CrateName
    /// As in the index line, with build metadata.
    package let version: Version
    package let checksum: Checksum

    package init(name: CrateName, version: Version, checksum: Checksum) {
        self.name = name
        self.version = version
        self.checksum = checksum
    }

    /// Reads what follows `/{repository}/crates/` in a request.
    ///
    /// - Returns: nil for anything that this type would not have written itself, `%2B` for `+` excepted.
    package init?(parsing path: some StringProtocol) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].hasSuffix(".crate"),
            let name = try? CrateName(String(parts[0])),
            let version = try? Version(String(parts[1]).decodingPlus),
            let checksum = Checksum(hex: parts[2].dropLast(".crate".count))
        else { return nil }
        self.init(name: name, version: version, checksum: checksum)
    }

    package var description: String { "\(name.spelling)/\(version)/\(checksum).crate" }
}

extension String {
    /// `%2B` and `%2b` become `+`.
    fileprivate var decodingPlus: String {
        guard contains("%") else { return self }
        var plain = ""
        var rest = self[...]
        while let percent = rest.firstIndex(of: "%") {
            plain += rest[..<percent]
            rest = rest[percent...]
            guard rest.hasPrefix("%2B") || rest.hasPrefix("%2b") else { return self }
            plain += "+"
            rest = rest.dropFirst(3)
        }
        return plain + rest
    }
}
