/// The checks of a `Cargo.toml` that is being published, in crates.io's order; the first broken one is the objection.
///
/// | step | rule                                                              | case     |
/// |------|-------------------------------------------------------------------|----------|
/// | 1    | there is a `[package]` (or the old `[project]`)                    | G10      |
/// | 2    | no `[patch]`, nothing left to take from a workspace                | 5.2      |
/// | 3    | name and version are the announced ones                            | G11      |
/// | 4    | the name is not reserved                                           | 5.2      |
/// | 5    | description and licence: there if required, of the right form      | F10, F11 |
/// | 6    | URLs, rust-version, links                                          | F22      |
/// | 7    | keywords, categories                                               | F13, F14 |
/// | 8    | dependencies                                                       | F17, F20 |
/// | 9    | features, which must agree with the dependencies                   | F16      |
///
/// Source: docs/PROTOCOL.md, "Server-side validation on publish".
package enum ManifestRules {
    /// - Parameters:
    ///   - announced: what `cargo publish` said beside the file.
    ///   - ownIndexURLs: every URL by which a manifest may mean this very repository, with `sparse+` where cargo writes
    ///     it. A dependency without `registry-index` means crates.io all the same, also if the repository replaces it.
    ///   - metadataRequired: true refuses a crate without description or licence.
    package static func check(
        _ manifest: ManifestValue, announced: PublishMetadata, ownIndexURLs: Set<String>, metadataRequired: Bool
    ) throws(Objection) -> ManifestFacts {
        guard let fields = (manifest["package"] ?? manifest["project"])?.table else {
            throw Objection("G10", "the Cargo.toml has no `[package]` table")
        }
        try checkLeftovers(manifest, fields)
        let table = PackageTable(fields)
        try checkIdentity(table, announced)
        let text = try describe(table, isRequired: metadataRequired)
        let urls = try (table.url("homepage"), table.url("documentation"), table.url("repository"))
        let rustVersion = try table.rustVersion()
        let links = try table.shortText("links")
        let keywords = try table.keywords()
        let categories = try table.categories()
        let dependencies = try ManifestDependencies.read(manifest, ownIndexURLs: ownIndexURLs)
        let features = try FeatureRules.read(manifest["features"])
        try FeatureRules.check(features, against: dependencies)
        return ManifestFacts(
            name: announced.name, version: announced.version, description: text.description, keywords: keywords,
            categories: categories, license: text.license, homepage: urls.0, documentation: urls.1,
            repository: urls.2, links: links, rustVersion: rustVersion, features: features,
            dependencies: dependencies.sorted())
    }

    private static func checkLeftovers(
        _ manifest: ManifestValue, _ package: [String: ManifestValue]
    ) throws(Objection) {
        guard manifest["patch"] == nil else {
            throw Objection("5.2", "crates cannot be published with `[patch]` tables")
        }
        let inherited = package.sorted { $0.key < $1.key }.first {
            $0.key != "metadata" && $0.value["workspace"] == .bool(true)
        }
        if let inherited { throw .inherited("package.\(inherited.key)") }
        if manifest["lints"]?["workspace"] == .bool(true) { throw .inherited("lints") }
    }

    private static func checkIdentity(_ table: PackageTable, _ announced: PublishMetadata) throws(Objection) {
        let name = try table.requiredText("name")
        guard name == announced.name.spelling else {
            throw Objection(
                "G11", "metadata name `\(announced.name.spelling)` does not match manifest name `\(name)`")
        }
        let version = try table.requiredText("version")
        guard (try? Version(version)) == announced.version else {
            throw Objection(
                "G11", "metadata version `\(announced.version)` does not match manifest version `\(version)`")
        }
        guard !announced.name.isReserved else {
            throw Objection("5.2", "cannot upload a crate with a reserved name: choose another one than `\(name)`")
        }
    }

    private static func describe(
        _ table: PackageTable, isRequired: Bool
    ) throws(Objection) -> (description: String?, license: String?) {
        let description = try table.description()
        let license = try table.license()
        let missing = [("description", description), ("license", license)].filter { $0.1 == nil }.map(\.0)
        guard missing.isEmpty || !isRequired else {
            throw Objection(
                "F11",
                "missing or empty metadata fields: \(missing.joined(separator: ", ")). "
                    + "Add them to `[package]` in Cargo.toml"
            )
        }
        return (description, license)
    }
}

extension ManifestRules {
    /// The first rule that a manifest breaks, for the person who ran `cargo publish`. Answered 400.
    package struct Objection: Error, Hashable, CustomStringConvertible {
        /// The case, or the section, of docs/PROTOCOL.md that the rule comes from.
        package let caseNumber: String
        package let description: String

        init(_ caseNumber: String, _ description: String) {
            self.caseNumber = caseNumber
            self.description = description
        }

        static func inherited(_ place: String) -> Objection {
            Objection("5.2", "`\(place)` in Cargo.toml: value from workspace hasn't been set")
        }

        static func wrongType(_ place: String, _ type: String) -> Objection {
            Objection("5.2", "`\(place)` in Cargo.toml must be \(type)")
        }
    }
}
