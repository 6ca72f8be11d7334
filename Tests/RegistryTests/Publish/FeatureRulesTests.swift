import Registry
import Testing

// F16
struct FeatureRulesTests {
    /// A crate with the features, an optional dependency `opt` and a plain one `bar`.
    static func features(
        _ features: [String: [String]], optional: [String] = ["opt"]
    ) throws(ManifestRules.Objection) -> IndexLine.Features {
        var dependencies: [String: ManifestValue] = ["bar": .string("1")]
        for name in optional { dependencies[name] = .table(["version": .string("1"), "optional": .bool(true)]) }
        return try ManifestRulesTests.check(beside: [
            "features": .table(features.mapValues { .array($0.map(ManifestValue.string)) }),
            "dependencies": .table(dependencies),
        ]).features
    }

    @Test(
        arguments: [
            [:], ["default": ["a"], "a": []], ["a": ["opt"]], ["a": ["dep:opt"]], ["a": ["opt/x"]],
            ["a": ["opt?/x", "dep:opt"]], ["a": ["bar/x"]], ["opt": ["dep:opt"]], ["opt": ["opt/x"]],
            ["1a": [], "_b": [], "c++": [], "d.e-f": [], "ñ": []],
        ] as [[String: [String]]])
    func `features that cargo can resolve are taken as they are`(features: [String: [String]]) throws {
        #expect(try Self.features(features) == features)
    }

    @Test(
        arguments: [
            ["": []], ["!bar": []], ["-a": []], ["+a": []], ["a b": []], ["a/b": []], ["dep:opt": []], ["a": [""]],
            ["a": ["missing"]], ["a": ["bar"]], ["a": ["dep:bar"]], ["a": ["dep:missing"]], ["a": ["bar?/x"]],
            ["a": ["missing/x"]], ["a": ["dep:opt/x"]], ["a": ["bar/"]], ["a": ["/x"]], ["a": ["bar/x/y"]],
            ["a": ["dep:"]], ["a": ["dep:opt"], "b": ["opt"]], ["opt": []],
        ] as [[String: [String]]])
    func `features that cargo can't resolve are refused`(features: [String: [String]]) {
        #expect { try Self.features(features) } throws: { ($0 as? ManifestRules.Objection)?.caseNumber == "F16" }
    }

    @Test func `300 features are taken, one more is refused`() throws {
        let many = { (count: Int) in
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("f\($0)", [String]()) })
        }
        #expect(try Self.features(many(300)).count == 300)
        #expect(throws: ManifestRules.Objection.self) { try Self.features(many(301)) }
    }

    @Test func `a feature enables at most 300 others`() {
        #expect(throws: Never.self) { try Self.features(["a": Array(repeating: "bar/x", count: 300)]) }
        #expect(throws: ManifestRules.Objection.self) {
            try Self.features(["a": Array(repeating: "bar/x", count: 301)])
        }
    }
}
