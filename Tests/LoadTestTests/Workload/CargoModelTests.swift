import Registry
import Testing

@testable import LoadTest

/// What cargo asks, on graphs by hand; that it is really so the journey tests see with a real cargo.
struct CargoModelTests {
    typealias Need = MadeIndex.Need

    @Test func `a round asks for what the answers of the one before have named, each file once`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "b"), Need(name: "d")])
        try index.add("b", "1.0.0", [Need(name: "c"), Need(name: "d")])
        try index.add("c")
        try index.add("d", "1.0.0", [Need(name: "c")])
        // `d` is a short cut of the root's: it comes in the first round, and `c` with it in the second.
        let course = try index.course([Need(name: "a"), Need(name: "d")])
        #expect(course.rounds == [["a", "d"], ["b", "c"]])
        #expect(course.chosen == ["a 1.0.0", "b 1.0.0", "c 1.0.0", "d 1.0.0"])
    }

    @Test func `the newest version that fits and is not yanked says what is asked next`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "old")])
        try index.add("a", "1.2.0", [Need(name: "chosen")])
        try index.add("a", "1.3.0", [Need(name: "yanked")], isYanked: true)
        try index.add("a", "1.4.0-rc.1", [Need(name: "early")])
        try index.add("a", "2.0.0", [Need(name: "next")])
        try index.add("chosen")
        #expect(try index.course([Need(name: "a")]).rounds == [["a"], ["chosen"]])
    }

    @Test func `a pre-release is chosen only if the requirement names one`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0-rc.1", [Need(name: "early")])
        try index.add("a", "1.0.0-rc.2", [Need(name: "later")])
        try index.add("a", "0.9.0", [Need(name: "old")])
        for name in ["early", "later", "old"] { try index.add(name) }
        #expect(try index.course([Need(name: "a", requirement: "=1.0.0-rc.1")]).rounds == [["a"], ["early"]])
        #expect(try index.course([Need(name: "a", requirement: ">=1.0.0-rc.1")]).rounds == [["a"], ["later"]])
        #expect(try index.course([Need(name: "a", requirement: "*")]).rounds == [["a"], ["old"]])
    }

    @Test func `two incompatible versions of a crate stand beside each other, two compatible ones do not`() throws {
        var index = MadeIndex()
        try index.add("a", "0.1.9", [Need(name: "of-1")])
        try index.add("a", "0.2.0", [Need(name: "of-2")])
        try index.add("b", "1.0.0", [Need(name: "a", requirement: "^0.1.2")])
        for name in ["of-1", "of-2"] { try index.add(name) }
        let course = try index.course([Need(name: "a", requirement: "^0.2"), Need(name: "b")])
        #expect(course.rounds == [["a", "b"], ["of-1", "of-2"]])
        #expect(course.chosen == ["a 0.1.9", "a 0.2.0", "b 1.0.0", "of-1 1.0.0", "of-2 1.0.0"])
    }

    @Test func `normal and build dependencies of every platform are asked, dev-dependencies of the root alone`() throws
    {
        var index = MadeIndex()
        let kinds = [
            Need(name: "plain"), Need(name: "tool", kind: .build),
            Need(name: "win", target: "cfg(windows)"), Need(name: "test", kind: .dev),
        ]
        try index.add("a", "1.0.0", kinds)
        for name in ["plain", "tool", "win", "test", "own-test"] { try index.add(name) }
        let course = try index.course([Need(name: "a"), Need(name: "own-test", kind: .dev)])
        #expect(course.rounds == [["a", "own-test"], ["plain", "tool", "win"]])
    }

    @Test func `a renamed dependency is asked by its real name, in lower case`() throws {
        var index = MadeIndex()
        try index.add("RealName", "1.0.0", [Need(name: "b")])
        try index.add("b")
        let course = try index.course([Need(name: "alias", package: "RealName")])
        #expect(course.rounds == [["realname"], ["b"]])
        #expect(course.chosen == ["RealName 1.0.0", "b 1.0.0"])
    }

    @Test func `two native libraries of one name are not linked: an older version is taken`() throws {
        var index = MadeIndex()
        try index.add("zlib-a", links: "z")
        try index.add("zlib-b", "1.1.0", links: "z")
        try index.add("zlib-b", "1.0.0", [Need(name: "pure")])
        try index.add("pure")
        let course = try index.course([Need(name: "zlib-a"), Need(name: "zlib-b")])
        #expect(course.rounds == [["zlib-a", "zlib-b"], ["pure"]])
        #expect(course.chosen == ["pure 1.0.0", "zlib-a 1.0.0", "zlib-b 1.0.0"])
    }

    @Test func `a version whose needs nothing fits is left for an older one`() throws {
        var index = MadeIndex()
        try index.add("a", "1.1.0", [Need(name: "b", requirement: "^2")])
        try index.add("a", "1.0.0", [Need(name: "b"), Need(name: "c")])
        try index.add("b")
        try index.add("c")
        let course = try index.course([Need(name: "a")])
        #expect(course.rounds == [["a"], ["b"], ["c"]])
        #expect(course.chosen == ["a 1.0.0", "b 1.0.0", "c 1.0.0"])
    }

    @Test func `of a missing name the other spellings are tried, and nothing after`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "b")])
        let plain = try index.course([Need(name: "a"), Need(name: "gone")])
        #expect(plain == MadeIndex.Course(rounds: [["a", "gone"]], chosen: nil))
        let spelled = try index.course([Need(name: "a"), Need(name: "gone-as_spelled")])
        #expect(spelled.rounds.first == ["a", "gone-as_spelled"])
        #expect(spelled.rounds.last == ["gone-as-spelled", "gone_as_spelled"])
        #expect(spelled.chosen == nil)
    }

    @Test func `another case of a name is another name`() throws {
        var index = MadeIndex()
        try index.add("Mixed")
        #expect(try index.course([Need(name: "mixed")]) == MadeIndex.Course(rounds: [["mixed"]], chosen: nil))
    }

    @Test func `a missing name can be left out, for indexes that are only a part`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "gone"), Need(name: "b")])
        try index.add("b")
        let course = try index.course([Need(name: "a"), Need(name: "gone-too")], missing: .isLeftOut)
        #expect(course.rounds == [["a", "gone-too"], ["b", "gone"]])
        #expect(course.chosen == ["a 1.0.0", "b 1.0.0"])
    }

    @Test func `a root without dependencies asks nothing`() throws {
        #expect(try MadeIndex().course([]) == MadeIndex.Course(rounds: [], chosen: []))
    }
}

/// What features switch on.
struct CargoModelFeatureTests {
    typealias Need = MadeIndex.Need

    /// What the first round's crate, asked for like this, makes cargo ask in the second.
    private func asked(
        of needs: [Need], _ features: [String: [String]], with need: Need
    ) throws -> [String] {
        var index = MadeIndex()
        try index.add("a", "1.0.0", needs, features: features)
        for need in needs { try index.add(need.name) }
        let rounds = try index.course([need]).rounds
        return rounds.count > 1 ? rounds[1] : []
    }

    private static let optional = Need(name: "x", isOptional: true)

    @Test func `an optional dependency is asked only if a feature wants it`() throws {
        let needs = [Self.optional]
        #expect(try asked(of: needs, [:], with: Need(name: "a")) == [])
        #expect(try asked(of: needs, [:], with: Need(name: "a", features: ["x"])) == ["x"])
        let named = ["default": ["std"], "std": ["dep:x"]]
        #expect(try asked(of: needs, named, with: Need(name: "a")) == ["x"])
        #expect(try asked(of: needs, named, with: Need(name: "a", usesDefaults: false)) == [])
        #expect(try asked(of: needs, ["f": ["x"]], with: Need(name: "a", features: ["f"])) == ["x"])
        #expect(try asked(of: needs, ["f": ["x/y"]], with: Need(name: "a", features: ["f"])) == ["x"])
    }

    @Test func `a feature of a dependency switches on what it needs there`() throws {
        for (value, rounds) in [("b/extra", [["a"], ["b"], ["x"]]), ("other", [["a"], ["b"]])] {
            var index = MadeIndex()
            try index.add(
                "a", "1.0.0", [Need(name: "b")], features: ["f": [value], "other": []])
            try index.add("b", "1.0.0", [Self.optional], features: ["extra": ["dep:x"]])
            try index.add("x")
            #expect(try index.course([Need(name: "a", features: ["f"])]).rounds == rounds)
        }
    }

    @Test func `a feature that is asked for later opens what it needs then`() throws {
        var index = MadeIndex()
        try index.add("b", "1.0.0", [Self.optional], features: ["extra": ["dep:x"]])
        try index.add("late", "1.0.0", [Need(name: "b", features: ["extra"])])
        try index.add("x")
        let course = try index.course([Need(name: "b"), Need(name: "late")])
        #expect(course.rounds == [["b", "late"], ["x"]])
        #expect(course.chosen == ["b 1.0.0", "late 1.0.0", "x 1.0.0"])
    }

    @Test func `a version without the feature that is asked for is not chosen`() throws {
        var index = MadeIndex()
        try index.add("a", "1.1.0", [Need(name: "new")])
        try index.add("a", "1.0.0", [Need(name: "old")], features: ["f": []])
        try index.add("old")
        let course = try index.course([Need(name: "a", features: ["f"])])
        #expect(course.rounds == [["a"], ["old"]])
        #expect(course.chosen == ["a 1.0.0", "old 1.0.0"])
    }

    @Test func `all features of the root are on, as in a checkout`() throws {
        var index = MadeIndex()
        try index.add("x")
        try index.add("y")
        let course = try index.course(
            [Self.optional, Need(name: "y", isOptional: true)], features: ["f": ["dep:y"]])
        #expect(course.rounds == [["x", "y"]])
    }

    @Test(arguments: [
        ["f": ["gone"]], ["f": ["dep:gone"]], ["f": ["gone/x"]], ["f": ["dep:plain"]], ["f": ["plain?/x"]],
        ["f": ["plain/x/y"]],
    ])
    func `a version whose features make no sense is left out as cargo does it`(features: [String: [String]]) throws {
        #expect(FeatureTable(features, [try Need(name: "plain").dependency]) == nil)
    }

    @Test func `an optional dependency that no feature names is left out with its version`() throws {
        let dependencies = [try Self.optional.dependency]
        #expect(FeatureTable([:], dependencies) != nil)
        #expect(FeatureTable(["x": []], dependencies) == nil)
    }

    /// cargo's resolver does not look at the question mark; only the build does.
    @Test func `a weak feature opens its dependency for the resolver`() throws {
        let needs = [Self.optional]
        let features = ["f": ["x?/y"], "g": ["dep:x"]]
        var index = MadeIndex()
        try index.add("a", "1.0.0", needs, features: features)
        try index.add("x", features: ["y": []])
        #expect(try index.course([Need(name: "a", features: ["f"])]).rounds == [["a"], ["x"]])
        #expect(try index.course([Need(name: "a")]).rounds == [["a"]])
    }
}
