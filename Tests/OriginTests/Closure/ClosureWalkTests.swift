import Registry
import Testing

@testable import Origin

struct ClosureWalkTests {
    /// Walks through a graph of crates of 10 bytes each; `?` in front of a name: not there.
    private func walk(
        _ graph: [String: [String]], from roots: [String], held: [String] = [], limits: ClosureItems.Limits = .init()
    ) throws -> ClosureWalk {
        let marks = try held.map { HeldMark(try CrateName($0).indexPath, try tag()) }
        var walk = ClosureWalk(
            ClosureQuestion(roots: try roots.map { try CrateName($0).indexPath }, held: marks), limits: limits)
        while !walk.frontier.isEmpty {
            var found: [IndexPath: ClosureItems.Found] = [:]
            for path in walk.frontier {
                guard let names = graph[path.name] else { continue }
                found[path] = ClosureItems.Found(crateID: 1, tag: try tag(), bytes: 10, names: names)
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
        #expect(walk.items.list.map(\.path.name) == ["app", "a", "b", "c", "d", "gone", "e", "f"])
        #expect(walk.items.files.count == 7)
        #expect(walk.items.list[5].state == .absent)
    }

    @Test func `the number of names is bounded, and the far end is cut`() throws {
        let walk = try walk(graph, from: ["app"], limits: .init(filesMax: 4))
        #expect(walk.items.list.map(\.path.name) == ["app", "a", "b", "c"])
    }

    @Test func `the bytes are bounded, and what is held costs none`() throws {
        let limits = ClosureItems.Limits(bytesMax: 35)
        #expect(try walk(graph, from: ["app"], limits: limits).items.list.map(\.path.name) == ["app", "a", "b"])
        let warm = try walk(graph, from: ["app"], held: ["a", "b", "e"], limits: limits)
        #expect(warm.items.list.map(\.path.name) == ["app", "a", "b", "c", "d", "gone", "e"])
        #expect(warm.items.files.count == 3)
        #expect(warm.items.list[1].state == .same(try tag()))
    }

    @Test func `a name that is no name leads nowhere`() throws {
        #expect(try walk(["app": ["", "../x", "9"]], from: ["app"]).items.list.count == 1)
    }
}
