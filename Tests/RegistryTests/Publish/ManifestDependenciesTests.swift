import Registry
import Testing

struct ManifestDependenciesTests {
    static func read(_ tables: [String: ManifestValue]) throws(ManifestRules.Objection) -> [IndexDependency] {
        try ManifestRulesTests.check(beside: tables).dependencies
    }

    static func one(_ fields: [String: ManifestValue], as name: String = "bar") throws -> IndexDependency {
        let version: [String: ManifestValue] = ["version": .string("1.2")]
        let entry = ManifestValue.table(version.merging(fields) { $1 })
        return try #require(try read(["dependencies": .table([name: entry])]).first)
    }

    // B7
    @Test func `every table is read, old spellings too`() throws {
        let entry = ManifestValue.table(["bar": .string("1")])
        let found = try Self.read([
            "dependencies": entry, "dev_dependencies": entry, "build-dependencies": entry,
            "target": .table(["cfg(unix)": .table(["dependencies": entry, "build_dependencies": entry])]),
        ])
        #expect(found.map(\.kind) == [.normal, .normal, .build, .build, .dev])
        #expect(found.map(\.target) == [nil, "cfg(unix)", nil, "cfg(unix)", nil])
        #expect(found.allSatisfy { $0.requirement.description == "^1" && $0.registry == IndexURL.cratesIO })
    }

    // The inversion trap; B4, B5.
    @Test(
        arguments: [
            (nil, nil, IndexURL.cratesIO), ("sparse+https://r.example/main/index/", nil, nil),
            ("sparse+https://third.example/", nil, "sparse+https://third.example/"),
            ("sparse+https://r.example/other/index/", nil, "sparse+https://r.example/other/index/"),
            ("https://r.example/main/index/", nil, "https://r.example/main/index/"),
            ("https://github.com/rust-lang/crates.io-index", nil, IndexURL.cratesIO),
            ("sparse+https://index.crates.io/", nil, IndexURL.cratesIO), (nil, "crates-io", IndexURL.cratesIO),
            (nil, "sparse+https://r.example/main/index/", nil),
            ("sparse+https://r.example/main/index/", "third", nil),
        ] as [(String?, String?, String?)])
    func `the registry is the one that the manifest means`(index: String?, alias: String?, expected: String?) throws {
        var fields: [String: ManifestValue] = [:]
        fields["registry-index"] = index.map(ManifestValue.string)
        fields["registry"] = alias.map(ManifestValue.string)
        #expect(try Self.one(fields).registry == expected)
    }

    // B2
    @Test func `a rename keeps both names`() throws {
        let renamed = try Self.one(["package": .string("serde_json")], as: "_json")
        #expect(renamed.name == "_json")
        #expect(renamed.package == "serde_json")
        #expect(try Self.one(["package": .string("bar")]).package == nil)
    }

    @Test(arguments: ["default-features", "default_features"]) func `default features can be switched off`(
        key: String
    ) throws {
        #expect(try Self.one([:]).usesDefaultFeatures)
        #expect(try !Self.one([key: .bool(false)]).usesDefaultFeatures)
        let other = try Self.one(["optional": .bool(true), "features": .array([.string("b"), .string("a")])])
        #expect(other.isOptional)
        #expect(other.features == ["b", "a"])
    }

    // F17, F20, B5 and section 5.2.
    @Test(
        arguments: [
            ("bar", .table([:]), "F17"), ("bar", .string("*"), "F17"), ("bar", .string("broken"), "F17"),
            ("bar", .table(["path": .string("../bar")]), "F17"), ("bar", .integer(1), "5.2"),
            ("1bar", .string("1"), "F20"), ("b r", .string("1"), "F20"), ("_bar", .string("1"), "F20"),
            ("a.b", .table(["version": .string("1"), "package": .string("bar")]), "F20"),
            ("bar", .table(["version": .string("1"), "package": .string("_bar")]), "F20"),
            ("bar", .table(["workspace": .bool(true)]), "5.2"),
            ("bar", .table(["version": .string("1"), "registry": .string("mine")]), "B5"),
            ("bar", .table(["version": .string("1"), "registry-index": .string("mine")]), "B5"),
            ("bar", .table(["version": .string("1"), "artifact": .string("bin")]), "5.2"),
            ("bar", .table(["version": .string("1"), "optional": .string("yes")]), "5.2"),
            ("bar", .table(["version": .string("1"), "features": .array([.integer(1)])]), "5.2"),
            ("bar", .table(["version": .string("1"), "features": .array([.string("!a")])]), "F16"),
        ] as [(String, ManifestValue, String)])
    func `a dependency that breaks a rule is refused`(name: String, entry: ManifestValue, caseNumber: String) {
        #expect { try Self.read(["dependencies": .table([name: entry])]) } throws: {
            ($0 as? ManifestRules.Objection)?.caseNumber == caseNumber
        }
    }

    @Test func `an optional dev-dependency and a bad target are refused`() {
        let optional = ManifestValue.table(["version": .string("1"), "optional": .bool(true)])
        #expect(throws: ManifestRules.Objection.self) {
            try Self.read(["dev-dependencies": .table(["bar": optional])])
        }
        #expect(throws: ManifestRules.Objection.self) {
            try Self.read(["target": .table(["cfg(": .table([:])])])
        }
    }

    @Test func `500 dependencies are taken, one more is refused`() throws {
        let table = { (count: Int) in
            ManifestValue.table(Dictionary(uniqueKeysWithValues: (0..<count).map { ("d\($0)", .string("1")) }))
        }
        #expect(try Self.read(["dependencies": table(499), "dev-dependencies": table(1)]).count == 500)
        #expect(throws: ManifestRules.Objection.self) {
            try Self.read(["dependencies": table(499), "dev-dependencies": table(2)])
        }
    }
}
