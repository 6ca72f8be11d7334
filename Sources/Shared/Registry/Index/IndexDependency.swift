/// One dependency of one version, as the index line says it.
///
/// | property   | plain | renamed: `json = { package = "serde_json" }` |
/// |------------|-------|-----------------------------------------------|
/// | `name`     | the crate's name | `json`, what the dependant's code says |
/// | `package`  | nil   | `serde_json`                                  |
///
/// Source: docs/PROTOCOL.md, "File format" and "From publish request to index line".
package struct IndexDependency: Hashable, Sendable {
    /// When a dependency is needed; spelled as in the index.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case normal
        case build
        case dev
    }

    package let name: String
    package let requirement: VersionRequirement
    package let features: [String]
    package let isOptional: Bool
    package let usesDefaultFeatures: Bool
    /// A triple or `cfg(…)`; nil for every platform.
    package let target: String?
    package let kind: Kind
    /// The other registry's index URL; nil means the registry that the line stands in.
    package let registry: String?
    package let package: String?

    package init(
        name: String, requirement: VersionRequirement, features: [String] = [], isOptional: Bool = false,
        usesDefaultFeatures: Bool = true, target: String? = nil, kind: Kind = .normal, registry: String? = nil,
        package: String? = nil
    ) {
        self.name = name
        self.requirement = requirement
        self.features = features
        self.isOptional = isOptional
        self.usesDefaultFeatures = usesDefaultFeatures
        self.target = target
        self.kind = kind
        self.registry = registry
        self.package = package
    }

    /// The name under which the registry knows the dependency.
    package var crate: String { package ?? name }
}

extension IndexDependency: Comparable {
    /// By name, then kind: an old cargo misreads `optional` if a crate's dev-dependency comes before its normal one.
    /// The rest only makes the order total, as on crates.io.
    package static func < (left: IndexDependency, right: IndexDependency) -> Bool {
        if left.name != right.name { return left.name < right.name }
        if left.kind != right.kind { return left.kind.rank < right.kind.rank }
        let texts = (left.requirement.description, right.requirement.description)
        if texts.0 != texts.1 { return texts.0 < texts.1 }
        if left.isOptional != right.isOptional { return right.isOptional }
        if left.usesDefaultFeatures != right.usesDefaultFeatures { return right.usesDefaultFeatures }
        if left.target != right.target { return (left.target ?? "") < (right.target ?? "") }
        if left.package != right.package { return (left.package ?? "") < (right.package ?? "") }
        if left.registry != right.registry { return (left.registry ?? "") < (right.registry ?? "") }
        return left.features.lexicographicallyPrecedes(right.features)
    }
}

extension IndexDependency.Kind {
    fileprivate var rank: Int {
        switch self {
        case .normal: 0
        case .build: 1
        case .dev: 2
        }
    }
}

extension IndexDependency {
    /// Keys in crates.io's order; `registry` and `package` only if they are set.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("req")
            writer.string(requirement.description)
            writer.key("features")
            writer.strings(features)
            writer.key("optional")
            writer.bool(isOptional)
            writer.key("default_features")
            writer.bool(usesDefaultFeatures)
            writer.key("target")
            writer.string(target)
            writer.key("kind")
            writer.string(kind.rawValue)
            if let registry {
                writer.key("registry")
                writer.string(registry)
            }
            if let package {
                writer.key("package")
                writer.string(package)
            }
        }
    }

    /// - Throws: whatever would make cargo drop the version that has this dependency.
    init(_ fields: FieldReader) throws(IndexLine.Invalid) {
        let requirement = try fields.text("req")
        self.init(
            name: try fields.text("name"),
            requirement: try fields.check("req", requirement) { try? VersionRequirement($0) },
            // cargo leaves empty ones out too.
            features: try fields.texts("features").filter { !$0.isEmpty },
            isOptional: try fields.bool("optional") ?? false,
            usesDefaultFeatures: try fields.bool("default_features") ?? true,
            target: try fields.optionalText("target") { TargetPlatform.isValid($0) },
            // Any other word means a normal dependency to cargo.
            kind: try fields.optionalText("kind").flatMap { Kind(rawValue: $0) } ?? .normal,
            registry: try fields.optionalText("registry") { IndexURL.isValid($0) },
            package: try fields.optionalText("package"))
        for key in ["artifact", "bindep_target", "lib"] where fields.has(key) {
            throw fields.invalid(key, "needs artifact dependencies, which no stable cargo reads")
        }
        guard Self.isDependencyName(name) else { throw fields.invalid("name", "`\(name)` cannot name a dependency") }
        guard (try? CrateName(crate)) != nil else {
            throw fields.invalid("package", "`\(crate)` is no name of a crate")
        }
        guard !(isOptional && kind == .dev) else {
            throw fields.invalid("optional", "a dev-dependency may not be optional")
        }
    }

    /// As a crate name, but a renamed one may also begin with `_`.
    static func isDependencyName(_ name: String) -> Bool {
        let plain = name.drop { $0 == "_" }
        return name.utf8.count <= CrateName.bytesMax && (try? CrateName(plain.isEmpty ? name : String(plain))) != nil
            || name.utf8.count <= CrateName.bytesMax && name.hasPrefix("_") && name.utf8.allSatisfy(\.isNameByte)
    }
}

/// The URL of a registry's index, as manifests and index lines name other registries.
package enum IndexURL {
    /// What stands for crates.io, whatever protocol cargo speaks with it.
    package static let cratesIO = "https://github.com/rust-lang/crates.io-index"
    /// crates.io's sparse URL, which cargo never writes into a manifest or an index line.
    package static let cratesIOSparse = "sparse+https://index.crates.io/"

    static func isValid(_ text: String) -> Bool {
        let plain = text.hasPrefix("sparse+") ? text.dropFirst("sparse+".count) : text[...]
        guard let colon = plain.firstRange(of: "://"), colon.lowerBound > plain.startIndex else { return false }
        let scheme = plain[..<colon.lowerBound].utf8
        return text.utf8.allSatisfy { (0x21...0x7E).contains($0) } && colon.upperBound < plain.endIndex
            && scheme.allSatisfy { $0.isNameByte || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: ".") }
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
