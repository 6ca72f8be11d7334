import NIOCore
import Registry
import Testing

@testable import Origin

struct ClosureWalkTests {
    /// Walks through a graph of crates of 10 bytes each; `?` in front of a name: not there.
    private func walk(
        _ graph: [String: [String]], from roots: [String], held: [String] = [], limits: ClosureWalk.Limits = .init()
    ) throws -> ClosureWalk {
        let marks = try held.map { HeldMark(try CrateName($0).indexPath, try tag()) }
        var walk = ClosureWalk(
            ClosureQuestion(roots: try roots.map { try CrateName($0).indexPath }, held: marks), limits: limits)
        while !walk.frontier.isEmpty {
            var found: [IndexPath: ClosureWalk.Found] = [:]
            for path in walk.frontier {
                guard let names = graph[path.name] else { continue }
                found[path] = ClosureWalk.Found(crateID: 1, tag: try tag(), bytes: 10, names: names)
            }
            walk.visit(found)
        }
        return walk
    }

    private func tag() throws -> EntityTag {
        EntityTag(generation: 1, checksum: try #require(Checksum(bytes: [UInt8](repeating: 1, count: 32))))
    }

    private let graph = [
        "app": ["a", "b"], "a": ["c", "d"], "b": ["c", "gone"], "c": ["e"], "d": [], "e": ["app", "f"], "f": [],
    ]

    @Test func `breadth first, each name once, cycles end`() throws {
        let walk = try walk(graph, from: ["app", "app"])
        #expect(walk.items.map(\.path.name) == ["app", "a", "b", "c", "d", "gone", "e", "f"])
        #expect(walk.files.count == 7)
        #expect(walk.items[5].state == .absent)
    }

    @Test func `the number of names is bounded, and the far end is cut`() throws {
        let walk = try walk(graph, from: ["app"], limits: .init(filesMax: 4))
        #expect(walk.items.map(\.path.name) == ["app", "a", "b", "c"])
    }

    @Test func `the bytes are bounded, and what is held costs none`() throws {
        let limits = ClosureWalk.Limits(bytesMax: 35)
        #expect(try walk(graph, from: ["app"], limits: limits).items.map(\.path.name) == ["app", "a", "b"])
        let warm = try walk(graph, from: ["app"], held: ["a", "b", "e"], limits: limits)
        #expect(warm.items.map(\.path.name) == ["app", "a", "b", "c", "d", "gone", "e"])
        #expect(warm.files.count == 3)
        #expect(warm.items[1].state == .same(try tag()))
    }

    @Test func `a name that is no name leads nowhere`() throws {
        #expect(try walk(["app": ["", "../x", "9"]], from: ["app"]).items.count == 1)
    }

    @Test
    func `a wide walk follows what is likely after all that is certain, and what is optional of roots alone last`()
        throws
    {
        let names = ["app": ["a"], "b": ["d"]]
        let likely = ["app": ["b"], "d": ["e"]]
        let optional = ["app": ["z"], "a": ["never"], "z": ["never"]]
        for isWide in [true, false] {
            var walk = ClosureWalk(ClosureQuestion(roots: [try CrateName("app").indexPath]), isWide: isWide)
            while !walk.frontier.isEmpty {
                let found = try walk.frontier.map { path in
                    let found = ClosureWalk.Found(
                        crateID: 1, tag: try tag(), bytes: 10, names: names[path.name] ?? [],
                        likely: likely[path.name] ?? [], optional: optional[path.name] ?? [])
                    return (path, found)
                }
                walk.visit(Dictionary(uniqueKeysWithValues: found))
            }
            #expect(walk.items.map(\.path.name) == (isWide ? ["app", "a", "b", "d", "e", "z"] : ["app", "a"]))
        }
    }

    @Test func `a split gives each file to the part with the least, in order, and the rest to the first`() throws {
        func item(_ name: String, _ bytes: Int) throws -> ClosureList.Item {
            .init(try CrateName(name).indexPath, .file(try tag(), bytes: bytes))
        }
        let absent = ClosureList.Item(try CrateName("gone").indexPath, .absent)
        let list = ClosureList([
            try item("a", 100), absent, try item("b", 10), try item("c", 20), try item("d", 60), try item("e", 5),
        ])
        let split = ClosureSplit(list, count: 3)
        #expect(split.places == [0, 1, 2, 1, 2])
        #expect(split.lists.map { $0.items.map(\.path.name) } == [["a", "gone"], ["b", "d"], ["c", "e"]])
        #expect(ClosureSplit(list, count: 1).lists == [list])
        #expect(ClosureSplit(ClosureList([absent]), count: 2).lists == [ClosureList([absent]), ClosureList([])])
    }

    @Test func `packed texts: what is used stays, what is not used goes, and the bytes are bounded`() {
        let packed = PackedTexts(bytesMax: 80)
        let names = (0..<10).compactMap { Checksum(bytes: [UInt8](repeating: $0, count: 32)) }
        let member = ByteBuffer(repeating: 1, count: 10)
        for name in names {
            packed.keep([name: member])
            #expect(packed.held([names[0]]).count == 1, "used each time")
        }
        #expect(packed.held(names).count < 9 && packed.held([names[9]]) == [names[9]: member])
        #expect(packed.held([names[1]]).isEmpty)
        packed.keep([names[1]: ByteBuffer(repeating: 1, count: 41)])
        #expect(packed.held([names[1]]).isEmpty, "larger than a half")
    }
}
