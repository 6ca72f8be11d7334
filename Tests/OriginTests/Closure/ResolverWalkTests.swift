import Registry
import Testing

@testable import Origin

struct ResolverWalkTests {
    /// A dependency: `name`, `name 1.2`, `?name`: optional; behind `:` features, `-` for no default features.
    private static func need(_ text: String) -> String {
        let isOptional = text.hasPrefix("?")
        let halves = text.drop { $0 == "?" }.split(separator: ":", maxSplits: 1).map(String.init)
        let words = halves[0].split(separator: " ", maxSplits: 1).map(String.init)
        let features = halves.dropFirst().first?.split(separator: ",").map(String.init) ?? []
        let named = features.filter { $0 != "-" }.map { "\"\($0)\"" }.joined(separator: ",")
        return """
            {"name":"\(words[0])","req":"\(words.dropFirst().first ?? "*")","features":[\(named)],"optional":\(isOptional),\
            "default_features":\(!features.contains("-")),"target":null,"kind":"normal"}
            """
    }

    private static func crate(
        _ name: String, _ versions: [(String, needs: [String], features: String)]
    ) throws -> CrateNeeds {
        let lines = try versions.map { number, needs, features in
            let text = """
                {"name":"\(name)","vers":"\(number)","deps":[\(needs.map(need).joined(separator: ","))],\
                "cksum":"\(String(repeating: "0", count: 64))","features":{\(features)},"yanked":false}
                """
            return (version: try Version(number), text: text)
        }
        return CrateNeeds(lines.sorted { $0.version > $1.version })
    }

    private static func walk(
        _ crates: [String: CrateNeeds], from roots: [String], limits: ClosureItems.Limits = .init()
    ) throws -> [String] {
        let tag = EntityTag(generation: 1, checksum: try #require(Checksum(bytes: [UInt8](repeating: 1, count: 32))))
        var walk = ResolverWalk(
            ClosureQuestion(roots: try roots.map { try CrateName($0).indexPath }), limits: limits)
        while !walk.frontier.isEmpty {
            var found: [IndexPath: ClosureItems.Found] = [:]
            for path in walk.frontier {
                guard let needs = crates[path.name] else { continue }
                found[path] = ClosureItems.Found(crateID: 1, tag: tag, bytes: 10, needs: needs)
            }
            walk.visit(found)
        }
        return walk.items.list.map(\.path.name)
    }

    private static func leaf(_ name: String) throws -> CrateNeeds { try crate(name, [("1.0.0", [], "")]) }

    @Test func `a requirement decides whose dependencies follow`() throws {
        let rand = try Self.crate(
            "rand", [("0.8.5", ["new"], ""), ("0.4.6", ["old"], ""), ("0.3.0", ["older"], "")])
        #expect(
            try Self.walk(["app": Self.crate("app", [("1.0.0", ["rand ^0.4"], "")]), "rand": rand], from: ["app"])
                == ["app", "rand", "old"])
        // Of the asked crates themselves any line may be wanted; the newest come first.
        #expect(try Self.walk(["rand": rand], from: ["rand"]) == ["rand", "new", "old", "older"])
    }

    @Test func `features that somebody switches on are followed, whoever comes first`() throws {
        let tiny = try Self.crate("tiny", [("1.0.0", ["?macros", "?never"], #""alloc":["macros"],"default":[]"#)])
        let crates = [
            "app": try Self.crate("app", [("1.0.0", ["plain", "norm"], "")]),
            "plain": try Self.crate("plain", [("1.0.0", ["tiny"], "")]),
            "norm": try Self.crate("norm", [("1.0.0", ["deep"], "")]),
            "deep": try Self.crate("deep", [("1.0.0", ["tiny:alloc"], "")]), "tiny": tiny,
        ]
        #expect(try Self.walk(crates, from: ["app"]) == ["app", "norm", "plain", "deep", "tiny", "macros"])
    }

    @Test(arguments: [
        (#""default":["std"],"std":["dep:one"]"#, ["?one"], ["one"]),
        (#""default":["one"]"#, ["?one"], ["one"]),
        (#""default":["one/fast"]"#, ["?one"], ["one", "speed"]),
        (#""default":["one?/fast"]"#, ["one"], ["one", "speed"]),
        (#""default":["a"],"a":["b"],"b":["a","default"]"#, ["one:-,fast"], ["one", "speed"]),
        ("", ["one:-"], ["one"]),
    ])
    func `default features, by all their spellings`(features: String, needs: [String], expected: [String]) throws {
        let crates = [
            "top": try Self.crate("top", [("1.0.0", ["app"], "")]),
            "app": try Self.crate("app", [("1.0.0", needs, features)]),
            "one": try Self.crate("one", [("1.0.0", ["?speed"], #""fast":["dep:speed"]"#)]),
            "speed": try Self.leaf("speed"),
        ]
        #expect(try Self.walk(crates, from: ["top"]) == ["top", "app"] + expected)
    }

    @Test func `all features of what was asked for come after everything that is certain`() throws {
        let crates = [
            "app": try Self.crate("app", [("2.0.0", ["a", "?z"], #""extra":["a/more"]"#), ("1.0.0", ["?y"], "")]),
            "a": try Self.crate("a", [("1.0.0", ["b", "?m", "?never"], #""more":["m"]"#)]),
            "b": try Self.leaf("b"), "z": try Self.leaf("z"),
        ]
        #expect(try Self.walk(crates, from: ["app"]) == ["app", "a", "b", "z", "m", "y"])
    }

    @Test func `cycles end, absent names lead nowhere, and limits cut the far end off`() throws {
        let crates = [
            "a": try Self.crate("a", [("1.0.0", ["b", "gone"], "")]),
            "b": try Self.crate("b", [("1.0.0", ["a 1", "c", "gone"], "")]),
            "c": try Self.leaf("c"),
        ]
        #expect(try Self.walk(crates, from: ["a", "a"]) == ["a", "b", "gone", "c"])
        #expect(try Self.walk(crates, from: ["a"], limits: .init(filesMax: 2)) == ["a", "b"])
        #expect(try Self.walk(crates, from: ["a"], limits: .init(bytesMax: 25)) == ["a", "b", "gone"])
        #expect(try Self.walk([:], from: ["nobody"]) == ["nobody"])
    }

    // I9
    @Test func `features without end are followed to a bound`() throws {
        let names = (0..<60_000).map { "\"f\($0)\":[\"f\($0 + 1)\"]" }.joined(separator: ",")
        let crates = ["app": try Self.crate("app", [("1.0.0", ["?last", "first"], names + #","f60000":["last"]"#)])]
        #expect(try Self.walk(crates, from: ["app"]).prefix(2) == ["app", "first"])
    }

    @Test func `the version that is likely taken: the highest that fits, else the line that is meant`() throws {
        let crate = try Self.crate("a", ["2.1.0", "1.9.0", "0.3.7", "0.2.1"].map { ($0, [], "") })
        for (text, place) in [
            ("*", 0), ("^1.2", 1), (">=1", 0), ("<2", 1), ("=1.3.5", 1), ("~1.2", 1), ("0.3", 2), ("^0.2.5", 3),
        ] { #expect(crate.place(for: try VersionRequirement(text)) == place, "\(text)") }
        #expect(crate.place(for: try VersionRequirement("^7")) == nil)
    }

    @Test func `of many lines the newest count, yanked versions do not, and a broken line needs nothing`() throws {
        let all = try (0..<20).map { (version: try Version("\($0).0.0"), yanked: $0 == 19) }
        #expect(CrateNeeds.versions(among: all).map(\.major) == (9...18).reversed())
        #expect(CrateNeeds([(version: try Version("1.0.0"), text: "{")]).line(0) == nil)
    }
}
