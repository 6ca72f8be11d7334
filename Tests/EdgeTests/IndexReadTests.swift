import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

struct IndexReadTests {
    private let foo = "/main/index/3/f/foo"

    private func edge(_ body: @Sendable @escaping (RunningEdge) async throws -> Void) async throws {
        try await withTemporaryFolder("index") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder, body)
            try await origin.stop()
        }
    }

    // A4
    @Test func `the first read asks the origin, the second does not`() async throws {
        try await edge { edge async throws in
            let first = try await edge.get(foo)
            #expect(first.status == 200)
            #expect(first.xCache == "MISS")
            let second = try await edge.get(foo)
            #expect(second.xCache == "HIT")
            #expect(second.body == "{\"name\":\"foo\",\"vers\":\"1.0.0\"}\n")
            #expect(second.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(second.headers["cache-control"] == "no-cache")
            #expect(second.headers["x-served-by"] == "test-edge")
            #expect(second.headers["etag"]?.hasPrefix("\"g1-") == true)
            #expect(edge.origin.count(of: "/f/foo") == 1)
        }
    }

    // A5, A7, A8
    @Test func `a client that shows the current tag gets 304 without a body`() async throws {
        try await edge { edge async throws in
            let tag = try #require(try await edge.get(foo).headers["etag"])
            for value in [tag, "W/\(tag)", "\"a\", \(tag)", "*"] {
                let answer = try await edge.get(foo, headers: [("if-none-match", value)])
                #expect(answer.status == 304, "\(value)")
                #expect(answer.body.isEmpty)
                #expect(answer.headers["etag"] == tag)
            }
            #expect(try await edge.get(foo, headers: [("if-none-match", "\"other\"")]).status == 200)
        }
    }

    // A11
    @Test func `an unknown crate is 404, not to be stored, and remembered`() async throws {
        try await edge { edge async throws in
            for xCache in ["MISS", "HIT"] {
                let answer = try await edge.get("/main/index/ba/rr/barr")
                #expect(answer.status == 404)
                #expect(answer.headers["cache-control"] == "no-store")
                #expect(answer.xCache == xCache)
            }
            #expect(edge.origin.count(of: "barr") == 1)
        }
    }

    // A13, I7
    @Test(arguments: [
        "/main/index/3/F/foo", "/main/index/3/f/Foo", "/main/index//3/f/foo", "/main//index/3/f/foo",
        "/main/index/3/f/%66oo", "/main/index/3/g/foo", "/main/index/3/f/foo/", "/main/index/x/../3/f/foo", "/",
        "/main", "/main/index", "//main/index/3/f/foo", "/main%2findex/3/f/foo", "/main/index/3/f/foo%00",
    ])
    func `a path that we would not have written is 404 and never asks`(path: String) async throws {
        try await edge { edge async throws in
            _ = try await edge.get(foo)
            let asked = edge.origin.requests.count
            #expect(try await edge.get(path).status == 404)
            #expect(edge.origin.requests.count { !$0.contains("/ack") } <= asked)
        }
    }

    // A17
    @Test func `HEAD has the headers of GET`() async throws {
        try await edge { edge async throws in
            let full = try await edge.get(foo)
            let head = try await edge.get(foo, method: "HEAD")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.headers["etag"] == full.headers["etag"])
        }
    }

    @Test func `other methods are told where to go`() async throws {
        try await edge { edge async throws in
            let answer = try await edge.get(foo, method: "DELETE")
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD")
        }
    }

    // A1
    @Test func `config json comes from configuration, whatever the host header says`() async throws {
        try await edge { edge async throws in
            let answer = try await edge.get("/main/index/config.json", headers: [("host", "evil.test")])
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == "{\"api\":\"http://origin.test/main\",\"dl\":\"https://edge.test/main/crates/{crate}/{version}/"
                    + "{sha256-checksum}.crate\"}\n")
            // cargo takes a 304 for an error here.
            let tag = try #require(answer.headers["etag"])
            #expect(
                try await edge.get("/main/index/config.json", headers: [("if-none-match", tag)]).status == 200)
        }
    }

    @Test func `an unknown repository is 404 on the origin's word`() async throws {
        try await edge { edge async throws in
            #expect(try await edge.get("/other/index/config.json").status == 404)
        }
    }

    // I1, design I10: acknowledged means no longer served.
    @Test func `a published version is served once its position is acknowledged`() async throws {
        try await edge { edge async throws in
            _ = try await edge.get(foo)
            for generation: UInt64 in 2...10 {
                let position = try edge.origin.publish("foo", "line \(generation)\n", generation: generation)
                try await edge.untilApplied(position)
                #expect(try await edge.get(foo).body == "line \(generation)\n")
            }
        }
    }

    @Test func `a crate that was absent appears with its event`() async throws {
        try await edge { edge async throws in
            #expect(try await edge.get("/main/index/ba/rr/barr").status == 404)
            try await edge.untilApplied(try edge.origin.publish("barr", "new\n", generation: 1))
            #expect(try await edge.get("/main/index/ba/rr/barr").body == "new\n")
        }
    }

    // I5
    @Test func `a client that has seen more makes the edge ask`() async throws {
        try await edge { edge async throws in
            let tag = try #require(try await edge.get(foo).headers["etag"])
            edge.origin.change { $0.indexFiles["main/3/f/foo"] = (2, "two\n") }
            let newer = tag.replacing("g1-", with: "g2-")
            let answer = try await edge.get(foo, headers: [("if-none-match", newer)])
            #expect(answer.body == "two\n")
            #expect(answer.headers["etag"]?.hasPrefix("\"g2-") == true)
        }
    }

    // I10: the stampede.
    @Test func `five hundred clients for one absent file are one question`() async throws {
        try await edge { edge async throws in
            edge.origin.change { $0.delay = .milliseconds(300) }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<500 { group.addTask { try await edge.get(foo).status } }
                for try await status in group { #expect(status == 200) }
            }
            #expect(edge.origin.count(of: "/f/foo") == 1)
        }
    }
}
