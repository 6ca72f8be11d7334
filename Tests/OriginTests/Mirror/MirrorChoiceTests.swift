import Registry
import Testing

@testable import Origin

struct MirrorChoiceTests {
    private static let sum = Checksum(bytes: Array(repeating: 7, count: 32))

    private static func versions(_ texts: [String]) throws -> [MirrorVersion] {
        try texts.map { text in
            MirrorVersion(
                version: try Version(text.replacing("!", with: "")),
                checksum: try #require(sum), isYanked: text.hasSuffix("!"), isHere: false, line: nil)
        }
    }

    // A `!` marks a yanked version.
    @Test(arguments: [
        (MirrorWant.newest(2), ["1.0.0", "2.0.0!", "1.10.0", "1.9.0", "3.0.0-rc"], ["1.10.0", "1.9.0"], false),
        (.newest(1), ["1.0.0-a", "1.0.0-b"], ["1.0.0-b"], false),
        (.newest(5), ["1.0.0"], ["1.0.0"], false),
        (.newest(1), ["1.0.0!"], [], true),
        (.all, ["1.0.0!", "2.0.0-rc"], ["2.0.0-rc", "1.0.0"], false),
        (.all, [], [], true),
    ])
    func `what a want picks`(want: MirrorWant, all: [String], chosen: [String], isMissed: Bool) throws {
        let choice = MirrorChoice([want], among: try Self.versions(all))
        #expect(choice.versions.map(\.version.description) == chosen)
        #expect(choice.objections.isEmpty != isMissed)
    }

    @Test(arguments: [
        ("^1", false, ["1.2.0", "1.9.0!", "2.0.0"], ["1.2.0"], 0),
        ("^3", false, ["1.2.0"], [], 1),
        ("^3", true, ["1.2.0"], [], 0),
        ("=1.0.0-rc.1", false, ["1.0.0-rc.1", "1.0.0"], ["1.0.0-rc.1"], 0),
    ])
    func `a dependency gets the highest version that fits`(
        requirement: String, isOptional: Bool, all: [String], chosen: [String], objections: Int
    ) throws {
        let want = MirrorWant.matching(try VersionRequirement(requirement), isOptional: isOptional)
        let choice = MirrorChoice([want], among: try Self.versions(all))
        #expect(choice.versions.map(\.version.description) == chosen)
        #expect(choice.objections.count == objections)
    }

    // I2
    @Test func `a lock file gets its version, yanked or not, but not with another checksum`() throws {
        let all = try Self.versions(["1.0.0!", "1.1.0"])
        let other = try #require(Checksum(bytes: Array(repeating: 8, count: 32)))
        let choice = MirrorChoice(
            [
                .exactly(try Version("1.0.0"), Self.sum), .exactly(try Version("1.1.0"), other),
                .exactly(try Version("9.0.0"), nil),
            ], among: all)
        #expect(choice.versions.map(\.version.description) == ["1.0.0"])
        #expect(choice.objections.map(\.what) == ["1.1.0", "9.0.0"])
        #expect(choice.objections[0].cause.contains("\(other)"))
    }

    @Test func `each want of a name is looked at once, whatever its case`() throws {
        var plan = MirrorPlan()
        plan.add(try CrateName("Foo"), .all)
        plan.add(try CrateName("foo"), .newest(1))
        plan.add(try CrateName("bar"), .all)
        #expect(plan.next().map { "\($0.name.spelling) \($0.wants.count)" } == ["bar 1", "foo 2"])
        plan.add(try CrateName("foo"), .all)
        #expect(plan.next().isEmpty)
        plan.add(try CrateName("foo"), .newest(2))
        #expect(plan.next().map(\.wants) == [[.newest(2)]])
    }
}
