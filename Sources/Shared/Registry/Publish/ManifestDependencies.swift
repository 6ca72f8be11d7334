/// Reads every dependency table of a manifest.
///
/// | in the manifest                             | in the index line            |
/// |---------------------------------------------|------------------------------|
/// | no `registry-index`                         | crates.io's URL              |
/// | `registry-index` is one of our own URLs     | no registry: this very one   |
/// | any other `registry-index`                  | that URL                     |
/// | key `json`, `package = "serde_json"`        | name `json`, package `serde_json` |
///
/// Source: docs/PROTOCOL.md, "Inversion trap".
struct ManifestDependencies {
    typealias Objection = ManifestRules.Objection

    private static let countMax = 500
    private static let targetBytesMax = 1_000

    private let ownIndexURLs: Set<String>
    private var found: [IndexDependency] = []

    static func read(
        _ manifest: ManifestValue, ownIndexURLs: Set<String>
    ) throws(Objection) -> [IndexDependency] {
        var reader = ManifestDependencies(ownIndexURLs: ownIndexURLs)
        try reader.readTables(of: manifest, target: nil)
        if let targets = manifest["target"] {
            guard let targets = targets.table else { throw .wrongType("target", "a table") }
            for (target, tables) in targets.sorted(by: { $0.key < $1.key }) {
                guard target.utf8.count <= targetBytesMax, TargetPlatform.isValid(target) else {
                    throw Objection(
                        "B7", "`[target.'\(target.prefix(80))']` in Cargo.toml is neither a platform nor a `cfg(…)`")
                }
                try reader.readTables(of: tables, target: target)
            }
        }
        return reader.found
    }

    private init(ownIndexURLs: Set<String>) { self.ownIndexURLs = ownIndexURLs }

    private mutating func readTables(of owner: ManifestValue, target: String?) throws(Objection) {
        let tables: [(key: String, old: String?, kind: IndexDependency.Kind)] = [
            ("dependencies", nil, .normal), ("dev-dependencies", "dev_dependencies", .dev),
            ("build-dependencies", "build_dependencies", .build),
        ]
        for (key, old, kind) in tables {
            guard let value = owner[key] ?? old.flatMap({ owner[$0] }) else { continue }
            guard let entries = value.table else { throw .wrongType(key, "a table") }
            guard found.count + entries.count <= Self.countMax else {
                throw Objection(
                    "5.2", "this crate has more than \(Self.countMax) dependencies, the most that a crate may have")
            }
            for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
                found.append(try dependency(name, DependencyEntry(name, entry), kind, target))
            }
        }
    }

    private func dependency(
        _ name: String, _ entry: DependencyEntry, _ kind: IndexDependency.Kind, _ target: String?
    ) throws(Objection) -> IndexDependency {
        let written = try entry.text("package")
        let package = written == name ? nil : written
        try Self.checkNames(name, package)
        let isOptional = try entry.bool("optional") ?? false
        guard !(isOptional && kind == .dev) else {
            throw Objection("5.2", "dev-dependencies are not allowed to be optional: `\(name)`")
        }
        return IndexDependency(
            name: name, requirement: try entry.requirement(), features: try entry.features(), isOptional: isOptional,
            usesDefaultFeatures: try entry.bool("default-features", "default_features") ?? true,
            target: target, kind: kind, registry: try entry.registry(own: ownIndexURLs), package: package)
    }

    private static func checkNames(_ name: String, _ package: String?) throws(Objection) {
        do {
            _ = try CrateName(package ?? name)
        } catch {
            throw Objection("F20", "invalid dependency: \(error)")
        }
        guard IndexDependency.isDependencyName(name) else {
            throw Objection(
                "F20", "invalid dependency name `\(name.prefix(80))`: use letters, digits, `-` and `_`, no digit first")
        }
    }
}

/// One entry of a dependency table: `"1.2"` or `{ version = "1.2", … }`.
private struct DependencyEntry {
    typealias Objection = ManifestRules.Objection

    private static let cratesIONames: Set<String> = ["crates-io", IndexURL.cratesIO, IndexURL.cratesIOSparse]

    private let name: String
    private let fields: [String: ManifestValue]

    init(_ name: String, _ entry: ManifestValue) throws(Objection) {
        self.name = name
        switch entry {
        case .string: fields = ["version": entry]
        case .table(let table): fields = table
        default: throw .wrongType("dependency \(name)", "a version or a table")
        }
        guard fields["workspace"] != .bool(true) else { throw .inherited("dependency \(name)") }
        for key in ["artifact", "lib"] where fields[key] != nil {
            throw Objection("5.2", "dependency `\(name)` is an artifact dependency, which no stable cargo reads")
        }
    }

    func requirement() throws(Objection) -> VersionRequirement {
        let text = try text("version") ?? "*"
        guard let requirement = try? VersionRequirement(text) else {
            throw Objection("F17", "\"\(text.prefix(80))\" is an invalid version requirement for dependency `\(name)`")
        }
        guard !requirement.isWildcard else {
            throw Objection(
                "F17",
                "wildcard (`*`) dependency constraints are not allowed: "
                    + "say which versions of `\(name)` fit, such as `1.2`"
            )
        }
        return requirement
    }

    func features() throws(Objection) -> [String] {
        guard let value = fields["features"] else { return [] }
        let texts = value.array?.compactMap(\.string)
        guard let texts, texts.count == value.array?.count else {
            throw .wrongType("features of dependency \(name)", "a list of strings")
        }
        for feature in texts { try FeatureRules.checkValue(feature) }
        return texts
    }

    /// - Returns: what the index line says; nil for the repository itself.
    func registry(own: Set<String>) throws(Objection) -> String? {
        if let url = try text("registry-index") {
            if own.contains(url) { return nil }
            guard IndexURL.isValid(url) else {
                throw Objection("B5", "`registry-index` of dependency `\(name)` is no URL of an index")
            }
            return url == IndexURL.cratesIOSparse ? IndexURL.cratesIO : url
        }
        guard let alias = try text("registry") else { return IndexURL.cratesIO }
        if own.contains(alias) { return nil }
        // A name in the publisher's own configuration means nothing to anyone else.
        guard Self.cratesIONames.contains(alias) else {
            throw Objection(
                "B5",
                "dependency `\(name)` names the registry `\(alias.prefix(80))` without its URL: "
                    + "let `cargo publish` make the package, which writes `registry-index`"
            )
        }
        return IndexURL.cratesIO
    }

    func text(_ key: String) throws(Objection) -> String? {
        guard let value = fields[key] else { return nil }
        guard let text = value.string else { throw .wrongType("\(key) of dependency \(name)", "a string") }
        return text
    }

    /// - Parameter old: a spelling that cargo also reads.
    func bool(_ key: String, _ old: String? = nil) throws(Objection) -> Bool? {
        guard let value = fields[key] ?? old.flatMap({ fields[$0] }) else { return nil }
        guard let bool = value.bool else { throw .wrongType("\(key) of dependency \(name)", "true or false") }
        return bool
    }
}
