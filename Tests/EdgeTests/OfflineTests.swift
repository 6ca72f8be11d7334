import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// I5, I8 and I11: what an edge says while it can't reach its origin.
struct OfflineTests {
    private let foo = "/main/index/3/f/foo"

    // A31, A32
    @Test func `a dead origin: held files are stale, the others 503 and never 404`() async throws {
        try await withTemporaryFolder("offline") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            origin.change { $0.crates["main/\(download.file)"] = download.bytes }
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                let tag = try #require(try await edge.get(foo).headers["etag"])
                #expect(try await edge.get(download.path()).status == 200)
                try await origin.stop()
                try await edge.until("blind") { !edge.app.isFresh }

                let stale = try await edge.get(foo)
                #expect(stale.status == 200)
                #expect(stale.xCache == "STALE")
                #expect(stale.headers["warning"] == "110 - \"Response is Stale\"")
                #expect(try await edge.get(foo, headers: [("if-none-match", tag)]).status == 304)
                #expect(try await edge.get("/main/index/config.json").status == 200)
                let crate = try await edge.get(download.path())
                #expect(crate.status == 200)
                #expect(crate.xCache == "STALE")

                for path in ["/main/index/ba/rr/barr", "/other/index/config.json", "/other/index/ba/rr/barr"] {
                    let missing = try await edge.get(path)
                    #expect(missing.status == 503, "\(path)")
                    #expect(missing.headers["retry-after"] == "2")
                }
            }
        }
    }

    @Test func `I5: an origin whose packets vanish holds nobody up who can be served`() async throws {
        try await withTemporaryFolder("vanish") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                #expect(try await edge.get(foo).status == 200)
                // Its answers come, but long after the edge has given up waiting: then they would not be stale.
                origin.change {
                    $0.isSilent = true
                    $0.delay = .seconds(8)
                }
                try await edge.until("blind") { !edge.app.isFresh }
                let first = try await edge.get(foo)
                #expect(first.status == 200 && first.xCache == "STALE")
                #expect(try await edge.get(foo).xCache == "STALE")

                origin.change {
                    $0.isSilent = false
                    $0.delay = .zero
                }
                try await edge.until("fresh") { edge.app.isFresh }
                #expect(try await edge.get(foo).status == 200)
                try await origin.stop()
            }
        }
    }

    @Test func `a repository that refuses to be stale says 503`() async throws {
        try await withTemporaryFolder("refuse") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            origin.change { $0.repositories = [ScriptedOrigin.entry("main", offline: "refuse")] }
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                #expect(try await edge.get(foo).status == 200)
                try await origin.stop()
                try await edge.until("blind") { !edge.app.isFresh }
                #expect(try await edge.get(foo).status == 503)
            }
        }
    }

    @Test func `a name remembered as absent is 503 when nobody can say that it still is`() async throws {
        try await withTemporaryFolder("absent") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                #expect(try await edge.get("/main/index/ba/rr/barr").status == 404)
                try await origin.stop()
                try await edge.until("blind") { !edge.app.isFresh }
                #expect(try await edge.get("/main/index/ba/rr/barr").status == 503)
            }
        }
    }

    @Test func `what the origin says of its own 503 reaches the client, and the page of a proxy does not`() async throws
    {
        try await withTemporaryFolder("words") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                let said = "this edge does not hold the file, and its origin says: scripted to fail\n"
                for path in ["/main/index/ba/rr/barr", download.path()] {
                    origin.change { ($0.failure, $0.failureType) = (503, "text/plain; charset=utf-8") }
                    let quoted = try await edge.get(path)
                    #expect(quoted.status == 503 && quoted.body == said, "\(path): \(quoted.body)")
                    #expect(quoted.headers["retry-after"] == "2")
                    origin.change { $0.failureType = "text/html" }
                    let hidden = try await edge.get(path)
                    #expect(hidden.status == 503 && !hidden.body.contains("scripted"), "\(path): \(hidden.body)")
                }
            }
            try await origin.stop()
        }
    }

    @Test(arguments: [404, 500, 502, 302])
    func `an answer without a position says nothing of the crate`(status: Int) async throws {
        try await withTemporaryFolder("proxy") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                origin.change { $0.failure = status }
                #expect(try await edge.get("/main/index/ba/rr/barr").status == 503)
            }
            try await origin.stop()
        }
    }

    @Test func `a silent feed is noticed, and what is held is checked with the origin`() async throws {
        try await withTemporaryFolder("silent") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                _ = try await edge.get(foo)
                origin.change { $0.isSilent = true }
                try await edge.until("blind") { !edge.app.isFresh }
                origin.change { $0.indexFiles["main/3/f/foo"] = (2, "two\n") }
                // The origin can still be asked, so nothing replaced is served, once no lease is on its way any more.
                try await edge.until("checked") { try await edge.get(foo).body == "two\n" }
                #expect(try await edge.get(foo).xCache != "STALE")
            }
            try await origin.stop()
        }
    }

    @Test func `after the origin is back the edge goes on where it stood`() async throws {
        try await withTemporaryFolder("back") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder, leaseTime: .milliseconds(400)) { edge async throws in
                _ = try await edge.get(foo)
                let port = origin.port
                try await origin.stop()
                try await edge.until("blind") { !edge.app.isFresh }
                let position = try origin.publish("foo", "two\n", generation: 2)
                try await origin.start(port: port)
                try await edge.untilReady()
                try await edge.untilApplied(position)
                #expect(try await edge.get(foo).body == "two\n")
                #expect(try await edge.get(foo).xCache == "HIT")
            }
            try await origin.stop()
        }
    }

    @Test(arguments: ["id: x\nevent: index\ndata: {}\n\n", "nonsense\n\n", "id: 99\nevent: index\ndata: {}\n\n"])
    func `a feed that breaks its rules is left and taken up again`(garbage: String) async throws {
        try await withTemporaryFolder("garbage") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(foo)
                origin.sendRaw(garbage)
                let position = try origin.publish("foo", "two\n", generation: 2)
                try await edge.untilApplied(position)
                #expect(try await edge.get(foo).body == "two\n")
            }
            try await origin.stop()
        }
    }

    // An edge that is cut off right after would have no list that is current.
    @Test func `a list of repositories in doubt is asked for again before a client asks`() async throws {
        try await withTemporaryFolder("doubt") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                // From here on the list is current.
                #expect(try await edge.get(foo).status == 200)
                let asked = origin.count(of: "/edge/v1/repositories")
                origin.announce(.unknown(kind: "novelty"))
                try await edge.until("asked again") { origin.count(of: "/edge/v1/repositories") > asked }
            }
            try await origin.stop()
        }
    }

    @Test func `an unknown kind of event makes the edge check what it holds`() async throws {
        try await withTemporaryFolder("unknown") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(foo)
                let position = origin.announce(.unknown(kind: "novelty")) {
                    $0.indexFiles["main/3/f/foo"] = (2, "two\n")
                }
                try await edge.untilApplied(position)
                #expect(try await edge.get(foo).body == "two\n")
            }
            try await origin.stop()
        }
    }
}
