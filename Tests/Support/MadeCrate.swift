import CrateFile

/// A small crate made for a test: `MadeCrate("bar", "1.0.0").needs("foo", "^1").feature("fast", ["foo/fast"])`.
///
/// Each step returns a changed copy. The manifest looks as cargo's normalised ones do.
package struct MadeCrate: Sendable {
    package let name: String
    package let version: String

    private var package: [(key: String, value: String)] = []
    private var dependencies: [Dependency] = []
    private var features: [(name: String, enables: [String])] = []
    private var files: [(path: String, text: String)] = [("src/lib.rs", "//! Made for a test.\n")]
    private var manifestText: String?

    /// - Parameters:
    ///   - name: taken as it is; tests of refusals give bad ones.
    ///   - version: likewise.
    package init(_ name: String, _ version: String) {
        self.name = name
        self.version = version
    }

    /// Which table of the manifest a dependency stands in.
    package enum Kind: String, Sendable { case normal, dev, build }

    private struct Dependency: Sendable {
        let name: String
        let requirement: String
        let kind: Kind
        let isOptional: Bool
        let registry: String?
        let package: String?
    }

    /// - Parameters:
    ///   - registry: the full index address of another registry.
    ///   - package: the dependency's real name, if `name` is another one for it.
    package func needs(
        _ name: String, _ requirement: String, kind: Kind = .normal, isOptional: Bool = false, registry: String? = nil,
        package: String? = nil
    ) -> MadeCrate {
        changed {
            $0.dependencies.append(
                Dependency(
                    name: name, requirement: requirement, kind: kind, isOptional: isOptional, registry: registry,
                    package: package))
        }
    }

    package func feature(_ name: String, _ enables: [String] = []) -> MadeCrate {
        changed { $0.features.append((name, enables)) }
    }

    package func license(_ expression: String) -> MadeCrate { with("license", expression) }

    package func described(_ text: String) -> MadeCrate { with("description", text) }

    package func keywords(_ words: [String]) -> MadeCrate {
        changed { $0.package.append(("keywords", Self.list(words))) }
    }

    /// Any other text under `[package]`: `links`, `rust-version`, `repository` …
    package func with(_ key: String, _ text: String) -> MadeCrate {
        changed { $0.package.append((key, Self.quoted(text))) }
    }

    /// - Parameter path: below `name-vers/`.
    package func file(_ path: String, _ text: String) -> MadeCrate {
        changed { $0.files.append((path, text)) }
    }

    /// Puts `text` in the place of the whole manifest.
    package func manifest(_ text: String) -> MadeCrate { changed { $0.manifestText = text } }

    private func changed(_ change: (inout MadeCrate) -> Void) -> MadeCrate {
        var copy = self
        change(&copy)
        return copy
    }
}

// MARK: - The manifest

extension MadeCrate {
    /// The text of `Cargo.toml`.
    package var manifest: String {
        if let manifestText { return manifestText }
        var text = "[package]\nedition = \"2021\"\nname = \(Self.quoted(name))\nversion = \(Self.quoted(version))\n"
        for (key, value) in package { text += "\(key) = \(value)\n" }
        text += "\n[lib]\npath = \"src/lib.rs\"\n"
        for (kind, table) in [
            (Kind.normal, "dependencies"), (.dev, "dev-dependencies"), (.build, "build-dependencies"),
        ] {
            for dependency in dependencies where dependency.kind == kind {
                text += "\n[\(table).\(dependency.name)]\n" + Self.lines(of: dependency)
            }
        }
        if !features.isEmpty { text += "\n[features]\n" }
        for (name, enables) in features { text += "\(Self.quoted(name)) = \(Self.list(enables))\n" }
        return text
    }

    private static func lines(of dependency: Dependency) -> String {
        var text = "version = \(quoted(dependency.requirement))\n"
        if dependency.isOptional { text += "optional = true\n" }
        if let package = dependency.package { text += "package = \(quoted(package))\n" }
        if let registry = dependency.registry { text += "registry-index = \(quoted(registry))\n" }
        return text
    }

    private static func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

    /// Text with the escapes that TOML and JSON have in common.
    fileprivate static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

// MARK: - The file and the upload

extension MadeCrate {
    /// The `.crate`; the same bytes each time.
    package func crate() throws -> [UInt8] {
        try CrateWriter.crate(root: "\(name)-\(version)") { writer in
            try writer.add("Cargo.toml", manifest)
            for (path, text) in files { try writer.add(path, text) }
        }
    }

    /// What `cargo publish` would send: u32 LE, JSON, u32 LE, the crate.
    package func publishBody() throws -> [UInt8] { Self.publishBody(metadata: metadata, crate: try crate()) }

    /// The framing around any metadata and any bytes.
    package static func publishBody(metadata: String, crate: [UInt8]) -> [UInt8] {
        length(metadata.utf8.count) + Array(metadata.utf8) + length(crate.count) + crate
    }

    /// The JSON as cargo writes it.
    package var metadata: String {
        let dependencies = dependencies.map(Self.json).joined(separator: ",")
        let features = features.map { "\(Self.quoted($0.name)):\(Self.list($0.enables))" }.joined(separator: ",")
        return """
            {"name":\(Self.quoted(name)),"vers":\(Self.quoted(version)),"deps":[\(dependencies)],\
            "features":{\(features)},"authors":[],"description":\(field("description")),"documentation":null,\
            "homepage":null,"readme":null,"readme_file":null,"keywords":\(field("keywords", orElse: "[]")),\
            "categories":[],"license":\(field("license")),"license_file":null,\
            "repository":\(field("repository")),"badges":{},"links":\(field("links")),\
            "rust_version":\(field("rust-version"))}
            """
    }

    private func field(_ key: String, orElse none: String = "null") -> String {
        package.last { $0.key == key }?.value ?? none
    }

    private static func json(of dependency: Dependency) -> String {
        let registry = dependency.registry.map { ",\"registry\":\(quoted($0))" } ?? ""
        let rename = dependency.package == nil ? "" : ",\"explicit_name_in_toml\":\(quoted(dependency.name))"
        return """
            {"optional":\(dependency.isOptional),"default_features":true,\
            "name":\(quoted(dependency.package ?? dependency.name)),"features":[],\
            "version_req":\(quoted(dependency.requirement)),"target":null,"kind":"\(dependency.kind.rawValue)"\
            \(registry)\(rename)}
            """
    }

    private static func length(_ count: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    }
}
