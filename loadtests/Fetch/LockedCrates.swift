import FoundationEssentials

/// What `fetch` downloads: a crate's file, and the SHA-256 that it should have.
struct FetchItem: Hashable, Sendable {
    let path: String
    /// 64 lower-case hex digits; nil if nobody knows.
    let sha256: String?
}

/// The crates of a registry that a `Cargo.lock` names.
struct LockedCrates: Hashable, Sendable {
    struct Crate: Hashable, Sendable {
        let name: String
        let version: String
        let sha256: String
    }

    static let cratesMax = 20_000

    let crates: [Crate]

    /// Reads what cargo writes: one key a line. Crates without a checksum come from a folder or from git.
    ///
    /// - Throws: `BenchFailure` without a single crate of a registry.
    init(_ text: String) throws(BenchFailure) {
        var crates: [Crate] = []
        var (name, version): (String?, String?)
        for line in text.split(whereSeparator: \.isNewline) {
            if line == "[[package]]" { (name, version) = (nil, nil) }
            if let value = Self.value("name", line) { name = value }
            if let value = Self.value("version", line) { version = value }
            guard let sha256 = Self.value("checksum", line), let name, let version else { continue }
            guard Self.isPlain(name), Self.isPlain(version), sha256.utf8.count == 64 else {
                throw BenchFailure("the lock file's crate `\(name.prefix(80))` can't be asked for; check --lock")
            }
            crates.append(Crate(name: name, version: version, sha256: sha256.lowercased()))
        }
        guard (1...Self.cratesMax).contains(crates.count) else {
            throw BenchFailure(
                "the lock file names \(crates.count) crates of registries; 1 to \(Self.cratesMax) can be fetched")
        }
        self.crates = crates
    }

    private static func value(_ key: String, _ line: Substring) -> String? {
        let start = "\(key) = \""
        guard line.hasPrefix(start), line.hasSuffix("\""), line.count > start.count else { return nil }
        return String(line.dropFirst(start.count).dropLast())
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-_.+".utf8.contains($0)
            }
    }
}

/// Where a registry's crates lie, as `dl` of its `config.json` says. Source: docs/PROTOCOL.md, "config.json".
struct DownloadTemplate: Hashable, Sendable {
    let text: String

    func url(_ crate: LockedCrates.Crate) -> String {
        let markers = ["{crate}", "{version}", "{prefix}", "{lowerprefix}", "{sha256-checksum}"]
        guard markers.contains(where: text.contains) else { return "\(text)/\(crate.name)/\(crate.version)/download" }
        let values = [
            crate.name, crate.version, Self.prefix(crate.name), Self.prefix(crate.name.lowercased()), crate.sha256,
        ]
        return zip(markers, values).reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// `1`, `2`, `3/b`, `se/rd`
    private static func prefix(_ name: String) -> String {
        switch name.count {
        case ...2: "\(name.count)"
        case 3: "3/\(name.prefix(1))"
        default: "\(name.prefix(2))/\(name.dropFirst(2).prefix(2))"
        }
    }
}
