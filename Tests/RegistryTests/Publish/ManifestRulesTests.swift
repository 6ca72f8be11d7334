import Registry
import Testing

struct ManifestRulesTests {
    static let package: [String: ManifestValue] = [
        "name": .string("foo"), "version": .string("1.0.0"), "description": .string(" A foo. "),
        "license": .string("MIT"),
    ]

    /// A manifest with the usual package, some fields of it replaced, and other tables beside it.
    static func check(
        _ fields: [String: ManifestValue?] = [:], beside tables: [String: ManifestValue] = [:],
        at key: String = "package",
        isRequired: Bool = true
    ) throws(ManifestRules.Objection) -> ManifestFacts {
        var package = Self.package
        for (field, value) in fields { package[field] = value }
        var manifest = tables
        manifest[key] = .table(package)
        guard let name = try? CrateName("foo"), let version = try? Version("1.0.0") else {
            preconditionFailure("both are valid")
        }
        return try ManifestRules.check(
            .table(manifest), announced: PublishMetadata(name: name, version: version),
            ownIndexURLs: ["sparse+https://r.example/main/index/"], metadataRequired: isRequired)
    }

    @Test(arguments: ["package", "project"]) func `a manifest becomes facts`(key: String) throws {
        let facts = try Self.check(
            [
                "homepage": .string("https://foo.example"), "repository": .string("http://git.example/foo"),
                "links": .string("z"), "rust-version": .string("1.70"), "keywords": .array([.string("c++")]),
                "categories": .array([.string("game-engines::2d")]), "metadata": .table(["workspace": .bool(true)]),
                "readme": .bool(false), "edition": .string("2021"),
            ], beside: ["lib": .table([:])], at: key)
        let expected = ManifestFacts(
            name: try CrateName("foo"), version: try Version("1.0.0"), description: "A foo.", keywords: ["c++"],
            categories: ["game-engines::2d"], license: "MIT", homepage: "https://foo.example",
            repository: "http://git.example/foo", links: "z", rustVersion: RustVersion("1.70"))
        #expect(facts == expected)
    }

    // F11
    @Test func `a licence file is enough`() throws {
        let facts = try Self.check(["license": nil, "license-file": .string("LICENSE")])
        #expect(facts.license == "non-standard")
    }

    // F11
    @Test func `description and licence are missed only where they are required`() throws {
        let absent: [String: ManifestValue?] = ["license": nil, "description": .string("  ")]
        let facts = try Self.check(absent, isRequired: false)
        #expect(facts.license == nil)
        #expect(facts.description == nil)
        #expect { try Self.check(absent) } throws: {
            "\($0)".hasPrefix("missing or empty metadata fields: description, license.")
        }
    }

    // F10, F13, F14, F22, G11 and section 5.2.
    @Test(
        arguments: [
            ("name", .string("Foo"), "G11"), ("name", .integer(1), "5.2"), ("version", .string("1.0.1"), "G11"),
            ("version", .string("1.0.0+b"), "G11"), ("version", nil, "G11"),
            ("version", .table(["workspace": .bool(true)]), "5.2"), ("license", .string("apache 2.0"), "F10"),
            ("description", .string(String(repeating: "a", count: 1_001)), "5.2"),
            ("description", .string("a\0"), "5.2"),
            ("description", .bool(true), "5.2"),
            ("homepage", .string("ftp://x.example"), "5.2"), ("documentation", .string("https://"), "5.2"),
            ("repository", .string("https://a b"), "5.2"), ("repository", .string("javascript:alert(1)"), "5.2"),
            ("rust-version", .string("1.70-nightly"), "F22"), ("rust-version", .string(">=1.70"), "F22"),
            ("keywords", .array(Array(repeating: .string("a"), count: 6)), "F13"),
            ("keywords", .array([.string("?@?%")]), "F13"), ("keywords", .array([.string("_a")]), "F13"),
            ("keywords", .array([.string("")]), "F13"), ("keywords", .string("a"), "5.2"),
            ("keywords", .array([.string(String(repeating: "a", count: 21))]), "F13"),
            ("categories", .array(Array(repeating: .string("a"), count: 6)), "F14"),
            ("categories", .array([.string("a b")]), "F14"), ("categories", .array([.integer(1)]), "5.2"),
            ("links", .string(""), "5.2"), ("edition", .table(["workspace": .bool(true)]), "5.2"),
        ] as [(String, ManifestValue?, String)])
    func `a field that breaks a rule is refused`(field: String, value: ManifestValue?, caseNumber: String) {
        #expect { try Self.check([field: value]) } throws: {
            ($0 as? ManifestRules.Objection)?.caseNumber == caseNumber
        }
    }

    @Test(
        arguments: [
            ("patch", .table(["crates-io": .table([:])]), "`[patch]`"),
            ("lints", .table(["workspace": .bool(true)]), "value from workspace hasn't been set"),
            ("features", .array([]), "must be a table"), ("dependencies", .string("x"), "must be a table"),
            ("target", .array([]), "must be a table"),
        ] as [(String, ManifestValue, String)])
    func `a table that breaks a rule is refused`(key: String, value: ManifestValue, text: String) {
        #expect { try Self.check(beside: [key: value]) } throws: { "\($0)".contains(text) }
    }

    // G10
    @Test func `a manifest without a package is refused`() throws {
        let metadata = PublishMetadata(name: try CrateName("foo"), version: try Version("1.0.0"))
        for manifest in [.table([:]), .table(["package": .bool(true)]), .bool(true)] as [ManifestValue] {
            #expect(throws: ManifestRules.Objection.self) {
                try ManifestRules.check(
                    manifest, announced: metadata, ownIndexURLs: [], metadataRequired: false)
            }
        }
    }

    @Test func `a reserved name is refused`() throws {
        let manifest = ManifestValue.table([
            "package": .table(["name": .string("Proc-Macro"), "version": .string("1.0.0")])
        ])
        #expect {
            try ManifestRules.check(
                manifest,
                announced: PublishMetadata(name: try CrateName("Proc-Macro"), version: try Version("1.0.0")),
                ownIndexURLs: [], metadataRequired: false)
        } throws: { "\($0)".hasPrefix("cannot upload a crate with a reserved name") }
    }
}
