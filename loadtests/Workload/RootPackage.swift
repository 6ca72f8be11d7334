import CrateFile
import FoundationEssentials
import Registry

/// What is resolved: a package whose dependencies begin a resolution.
enum RootPackage {
    /// An application as its index line describes it; resolved from a checkout, with its dev-dependencies.
    static func application(_ line: IndexLine) throws(BenchFailure) -> Candidate {
        guard let root = Candidate(line) else {
            throw BenchFailure("the features of `\(line.name.spelling)` make no sense to cargo")
        }
        return root
    }

    /// Any version of each of these crates.
    static func crates(_ names: [String]) throws(BenchFailure) -> Candidate {
        var dependencies: [IndexDependency] = []
        for text in names {
            let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
            guard let name = try? CrateName(parts.first ?? ""),
                let requirement = try? VersionRequirement(parts.count > 1 ? parts[1] : "*")
            else { throw BenchFailure("`\(text)` is no crate: write `serde` or `serde@1.0`") }
            dependencies.append(IndexDependency(name: name.spelling, requirement: requirement))
        }
        return try made(name: "crates", dependencies, [:])
    }

    /// A user's own manifest. Dependencies by path, from git and from other registries are not asked of this one.
    ///
    /// - Parameter registry: the name under which the manifest knows the registry; nil takes every one that has a version.
    static func manifest(_ text: String, registry: String?) throws(BenchFailure) -> Candidate {
        let manifest: ManifestValue
        do {
            manifest = try ManifestReader.read(text)
        } catch {
            throw BenchFailure("\(error)")
        }
        guard manifest["workspace"]?["members"]?.array?.isEmpty ?? true else {
            throw BenchFailure(
                "this is a workspace with members: give the manifest of one package, or the Cargo.lock of all with --lock"
            )
        }
        var dependencies: [IndexDependency] = []
        try read(manifest, target: nil, registry, into: &dependencies)
        for (target, tables) in (manifest["target"]?.table ?? [:]).sorted(by: { $0.key < $1.key }) {
            try read(tables, target: target, registry, into: &dependencies)
        }
        let features = (manifest["features"]?.table ?? [:]).mapValues { $0.array?.compactMap(\.string) ?? [] }
        return try made(name: manifest["package"]?["name"]?.string ?? "manifest", dependencies, features)
    }

    /// The packages of a lock file as direct dependencies: those of its workspace, or those that nothing else of the
    /// file needs are the direct ones.
    static func lockFile(_ text: String, name: String) throws(BenchFailure) -> (root: Candidate, lock: LockFile) {
        let lock = try LockFile(parsing: text)
        var dependencies: [IndexDependency] = []
        for package in lock.direct {
            guard let requirement = try? VersionRequirement("=\(package.version.bare)") else { continue }
            dependencies.append(IndexDependency(name: package.name, requirement: requirement))
        }
        return (try made(name: name, dependencies, [:]), lock)
    }

    static func made(
        name: String, _ dependencies: [IndexDependency], _ features: [String: [String]]
    ) throws(BenchFailure) -> Candidate {
        guard let table = FeatureTable(features, dependencies), let version = try? Version("0.0.0") else {
            throw BenchFailure("the features of `\(name)` name dependencies or features that are not there")
        }
        return Candidate(name: name, version: version, dependencies: dependencies, features: table)
    }

    private static func read(
        _ owner: ManifestValue, target: String?, _ registry: String?, into found: inout [IndexDependency]
    ) throws(BenchFailure) {
        let kinds: [(String, IndexDependency.Kind)] = [
            ("dependencies", .normal), ("dev-dependencies", .dev), ("build-dependencies", .build),
        ]
        for (key, kind) in kinds {
            for (name, entry) in (owner[key]?.table ?? [:]).sorted(by: { $0.key < $1.key }) {
                if let one = try dependency(name, entry, kind, target, registry) { found.append(one) }
            }
        }
    }

    private static func dependency(
        _ name: String, _ entry: ManifestValue, _ kind: IndexDependency.Kind, _ target: String?, _ registry: String?
    ) throws(BenchFailure) -> IndexDependency? {
        guard entry["workspace"] != .bool(true) else {
            throw BenchFailure("`\(name)` is inherited from a workspace: give the manifest of a single package")
        }
        guard entry["path"] == nil, entry["git"] == nil else { return nil }
        let named = entry["registry"]?.string
        guard registry == nil || named == nil || named == registry else { return nil }
        let text = entry.string ?? entry["version"]?.string ?? "*"
        guard let requirement = try? VersionRequirement(text) else {
            throw BenchFailure("`\(name) = \"\(text)\"` is no version requirement")
        }
        let package = entry["package"]?.string
        return IndexDependency(
            name: name, requirement: requirement, features: entry["features"]?.array?.compactMap(\.string) ?? [],
            isOptional: entry["optional"]?.bool ?? false,
            usesDefaultFeatures: (entry["default-features"] ?? entry["default_features"])?.bool ?? true,
            target: target, kind: kind, package: package == name ? nil : package)
    }
}
