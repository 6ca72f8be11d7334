import Hummingbird
import Registry
import TestSupport
import Testing

@testable import Origin

struct MirrorTests {
    @Test func `versions are fetched, and a second run asks for nothing`() async throws {
        try await MirrorScene.with { scene in
            for version in ["1.0.0", "1.1.0", "1.2.0"] { try scene.offer(MadeCrate("foo", version)) }
            let first = try await scene.mirror([("foo", .newest(2))])
            #expect(first.tally.fetched == 2 && first.tally.crates == 1 && first.missing == [])
            #expect(
                scene.upstream.requests.filter { $0.hasPrefix("dl/") }.sorted() == ["dl/foo/1.1.0", "dl/foo/1.2.0"])
            let asked = scene.upstream.requests
            let second = try await scene.mirror([("foo", .newest(2))])
            #expect(second.tally.present == 2 && second.tally.fetched == 0)
            #expect(scene.upstream.requests == asked)
            // From now on it is served without the upstream.
            scene.upstream.set { $0.status = .serviceUnavailable }
            #expect(try await scene.origin.call("GET", "/main/dl/foo/1.2.0/download").status == 200)
        }
    }

    @Test func `dependencies are followed, through own crates too; an optional one that is nowhere is not missed`()
        async throws
    {
        try await MirrorScene.with { scene in
            _ = try await scene.origin.slices.repositories.update(
                scene.repository.name, RepositorySettings(cratesIO: .on), by: .commandLine)
            try await scene.publish(MadeCrate("own", "1.0.0").needs("a", "^1"))
            try scene.offer(MadeCrate("a", "1.0.0").needs("b", "^1").needs("never", "^1", isOptional: true))
            try scene.offer(MadeCrate("a", "2.0.0").needs("lost", "^1"))
            try scene.offer(MadeCrate("b", "1.0.0").needs("a", "^1").needs("dev-only", "^1", kind: .dev))
            try scene.offer(MadeCrate("b", "1.5.0").needs("c", ">=0.1", kind: .build))
            try scene.offer(MadeCrate("c", "0.3.0"))
            let (tally, missing) = try await scene.mirror([("own", .newest(1))], followsDependencies: true)
            #expect(missing == [])
            #expect(tally.own == 1 && tally.fetched == 3 && tally.crates == 4)
            #expect(
                scene.upstream.requests.filter { $0.hasPrefix("dl/") }.sorted() == [
                    "dl/a/1.0.0", "dl/b/1.5.0", "dl/c/0.3.0",
                ])
            #expect(!scene.upstream.requests.contains { $0.contains("dev-only") || $0.contains("own") })
        }
    }

    @Test func `what is missing is named with its cause, the others come, and the next run goes on`() async throws {
        try await MirrorScene.with { scene in
            try scene.offer(MadeCrate("good", "1.0.0"))
            try scene.offer(MadeCrate("bad", "1.0.0"))
            scene.upstream.set { $0.crates["bad/1.0.0"] = [1, 2, 3] }
            let wants: [(String, MirrorWant)] = [("good", .all), ("bad", .all), ("none", .all)]
            let first = try await scene.mirror(wants)
            #expect(first.tally.fetched == 1 && first.tally.missing == 2)
            #expect(first.missing.count == 2 && first.missing[0].hasPrefix("missing bad 1.0.0: "))
            #expect(first.missing[1].hasPrefix("missing none (crate): "))
            let bytes = try MadeCrate("bad", "1.0.0").crate()
            scene.upstream.set { $0.crates["bad/1.0.0"] = bytes }
            let second = try await scene.mirror(wants)
            #expect(second.tally.present == 1 && second.tally.fetched == 1 && second.tally.missing == 1)
        }
    }

    @Test func `an upstream that is down makes everything missing that is not held, and nothing else`() async throws {
        try await MirrorScene.with { scene in
            try scene.offer(MadeCrate("held", "1.0.0"))
            _ = try await scene.mirror([("held", .all)])
            scene.upstream.set { $0.status = .serviceUnavailable }
            let (tally, missing) = try await scene.mirror([("held", .all), ("other", .all)])
            #expect(tally.present == 1 && missing.count == 1)
            #expect(missing.first?.contains("503") == true, "\(missing)")
        }
    }
}
