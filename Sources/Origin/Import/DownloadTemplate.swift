import Registry

/// `dl` of a `config.json`, expanded as cargo expands it.
///
/// Without any of the five markers `/{crate}/{version}/download` is appended; nothing is percent-encoded.
/// Source: docs/PROTOCOL.md, "Expanding `dl`".
struct DownloadTemplate: Hashable, Sendable {
    private static let markers = ["{crate}", "{version}", "{prefix}", "{lowerprefix}", "{sha256-checksum}"]

    let text: String

    /// Whether an address needs the checksum, which only an index line can give.
    var needsChecksum: Bool { text.contains("{sha256-checksum}") }

    func url(_ name: CrateName, _ version: Version, _ checksum: Checksum?) -> String {
        let full = Self.markers.contains { text.contains($0) } ? text : text + "/{crate}/{version}/download"
        let values = [
            "{crate}": name.spelling, "{version}": version.description, "{prefix}": Self.prefix(name.spelling),
            "{lowerprefix}": Self.prefix(name.lowered), "{sha256-checksum}": checksum?.description ?? "",
        ]
        return Self.markers.reduce(full) {
            $0.split(separator: $1, omittingEmptySubsequences: false)
                .joined(separator: values[$1] ?? "")
        }
    }

    private static func prefix(_ name: String) -> String {
        switch name.utf8.count {
        case 1, 2: "\(name.utf8.count)"
        case 3: "3/\(name.prefix(1))"
        default: "\(name.prefix(2))/\(name.dropFirst(2).prefix(2))"
        }
    }
}
