import Foundation
import Hummingbird
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// An origin that reads through to a scripted registry, over real sockets and a real database.
struct UpstreamTests {
    @Test func `a crate is read through, byte for byte, and its file is fetched when it is asked for`() async throws {
        try await UpstreamScene.with { scene in
            let bytes = try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            let next = MadeCrate("foo", "1.1.0")
            let odd = try ImportScene.line(of: next, next.crate()).json.dropLast() + #","new":[1, 2]}"#
            try scene.upstream.offer(next, line: String(odd))
            let answer = try await scene.index("foo")
            #expect(answer.status == 200 && answer.text.hasSuffix(odd + "\n"))
            #expect(try await scene.index("foo").text == answer.text)
            #expect(scene.upstream.requests == ["3/f/foo"])
            for _ in 0..<2 {
                let crate = try await scene.origin.call("GET", "/main/dl/foo/1.0.0/download")
                #expect(crate.status == 200 && Array(crate.body.readableBytesView) == bytes)
            }
            #expect(scene.upstream.requests.filter { $0.hasPrefix("dl/") } == ["dl/foo/1.0.0"])
            scene.upstream.set { $0.status = .serviceUnavailable }
            #expect(try await scene.origin.call("GET", "/main/dl/foo/1.0.0/download").status == 200)
            #expect(try await scene.origin.call("GET", "/main/dl/foo/1.1.0/download").status == 503)
        }
    }

    @Test func `a yank, a new version and a deletion are followed, each with an event; no change has none`()
        async throws
    {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            _ = try await scene.index("foo")
            let tail = { try await scene.origin.slices.repositories.list().position }
            let first = try await tail()
            try await scene.refresh("foo")
            #expect(scene.upstream.requests.last == "3/f/foo if-none-match")
            #expect(try await tail() == first)
            try scene.upstream.offer(MadeCrate("foo", "1.1.0"))
            try await scene.refresh("foo")
            #expect(try await tail() == first + 1)
            #expect(try await scene.index("foo").text.split(separator: "\n").count == 2)
            scene.upstream.set {
                $0.index = $0.index.mapValues {
                    Array(
                        String(decoding: $0, as: UTF8.self)
                            .replacingOccurrences(of: #""yanked":false"#, with: #""yanked":true"#).utf8)
                }
            }
            try await scene.refresh("foo")
            #expect(try await scene.index("foo").text.contains(#""yanked":true"#))
            let facts = try await scene.origin.slices.pool.query(
                "SELECT concat_ws(' ', origin, upstream, has_manifest, yanked_by) AS text FROM facts ORDER BY version_id"
            ).map { try $0.value("text", as: String.self) }
            #expect(facts == ["upstream up f upstream", "upstream up f upstream"])
            scene.upstream.set { $0.index = [:] }
            try await scene.refresh("foo")
            #expect(try await scene.index("foo").status == 404)
            #expect(try await tail() == first + 3)
            try scene.upstream.offer(MadeCrate("foo", "1.2.0"))
            try await scene.refresh("foo")
            #expect(try await scene.index("foo").text.contains("1.2.0"))
        }
    }

    @Test(arguments: ["status", "html", "empty", "garbage", "gzip", "cut", "redirect", "other"])
    func `I11: an upstream that fails leaves the last good state, and is never a false 404`(fault: String) async throws
    {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            try scene.upstream.offer(MadeCrate("bar", "1.0.0"))
            let good = try await scene.index("foo").text
            scene.upstream.set { script in
                let body: [UInt8]? = [
                    "html": Array("<html>sorry</html>".utf8), "empty": [], "garbage": [1, 2, 255],
                    // Another file, so that it is sent and not only confirmed.
                    "gzip": [31, 139, 8, 0], "cut": Array((good + " ").utf8),
                    "other": script.index["3/b/bar"] ?? [],
                ][fault]
                if let body { script.index["3/f/foo"] = body }
                if fault != "other", let body { script.index["3/b/bar"] = body }
                if fault == "other" { script.index["3/b/bar"] = Array(good.utf8) }
                script.status = fault == "status" ? .badGateway : fault == "redirect" ? .found : nil
                script.cuts = fault == "cut"
                if fault == "gzip" { script.headers = [.contentEncoding: "gzip"] }
                if fault == "redirect" { script.headers = [.location: "http://127.0.0.1:1/"] }
            }
            try await scene.refresh("foo")
            #expect(try await scene.index("foo").text == good)
            #expect(try await scene.faults().count == 1)
            let unknown = try await scene.index("bar")
            #expect(unknown.status == 503 && unknown.header("retry-after") != nil, "\(unknown.text)")
            #expect(try await scene.faults().count == 2)
        }
    }

    @Test func `I2: a changed checksum is refused, recorded, and stays visible`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            let good = try await scene.index("foo").text
            let other = try ImportScene.line(of: MadeCrate("foo", "1.0.0"), [1, 2, 3]).json
            scene.upstream.set { $0.index["3/f/foo"] = Array((other + "\n").utf8) }
            for _ in 0..<2 { try await scene.refresh("foo") }
            #expect(try await scene.index("foo").text == good)
            #expect(try await scene.faults().first?.contains("1.0.0") == true)
        }
    }

    @Test func `a file that is not what the index announced is not kept`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            _ = try await scene.index("foo")
            scene.upstream.set { $0.crates["foo/1.0.0"] = [1, 2, 3] }
            let answer = try await scene.origin.call("GET", "/main/dl/foo/1.0.0/download")
            #expect(answer.status == 503 && answer.text.contains("upstream `up`"))
            #expect(try await scene.faults().count == 1)
        }
    }

    @Test func `own names win: they are never asked for, and what an upstream has under them gives way`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "9.0.0"))
            #expect(try await scene.index("foo").text.contains("9.0.0"))
            let token = try await scene.origin.token("ann", [.publishNew, .publishUpdate])
            let answer = try await httpCall(
                "PUT", scene.origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
                body: .init(bytes: try MadeCrate("foo", "1.0.0").publishBody()))
            #expect(answer.status == 200, "\(answer.text)")
            let asked = scene.upstream.requests.count
            try await scene.refresh("foo")
            let text = try await scene.index("foo").text
            #expect(text.contains("1.0.0") && !text.contains("9.0.0"))
            #expect(scene.upstream.requests.count == asked)
        }
    }

    @Test func `search finds what came from upstreams by the beginning of its name, and shows the newest version`()
        async throws
    {
        try await UpstreamScene.with { scene in
            for (name, version) in [("Foo-bar", "1.0.0"), ("foo-bar", "1.1.0"), ("foo", "2.0.0"), ("barfoo", "1.0.0")] {
                try scene.upstream.offer(MadeCrate(name, version))
            }
            for name in ["foo-bar", "foo", "barfoo"] { #expect(try await scene.index(name).status == 200) }
            func found(_ query: String) async throws -> String {
                try await scene.origin.call("GET", "/main/api/v1/crates?q=\(query)").text
            }
            let hits = try await found("foo")
            #expect(hits.contains(#""total":2"#) && hits.contains(#""name":"foo","max_version":"2.0.0""#), "\(hits)")
            #expect(try await found("FOO_BA").contains(#""max_version":"1.1.0""#))
            #expect(try await found("foo%20bar").contains(#""total":0"#))
        }
    }

    @Test func `nobody yanks or owns what came from an upstream, whose next word would undo it`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            #expect(try await scene.index("foo").status == 200)
            for token in [
                try await scene.origin.token("root", [.admin]), try await scene.origin.token("ann", [.yank, .owners]),
            ] {
                for (method, path, body) in [
                    ("DELETE", "1.0.0/yank", ""), ("PUT", "1.0.0/unyank", ""), ("PUT", "owners", #"{"users":["ann"]}"#),
                ] {
                    let answer = try await httpCall(
                        method, scene.origin.url + "/main/api/v1/crates/foo/\(path)",
                        headers: [("authorization", token)],
                        body: .init(string: body))
                    #expect(answer.status == 409, "\(path): \(answer.text)")
                    #expect(answer.text.contains("`foo` comes from an upstream"), "\(path): \(answer.text)")
                }
            }
            #expect(try await !scene.index("foo").text.contains(#""yanked":true"#))
        }
    }

    @Test func `reserved and excluded names are not asked for`() async throws {
        let filter = UpstreamFilter(exclude: [try #require(CratePattern("bar"))])
        try await UpstreamScene.with(filter: filter) { scene in
            let pattern = try #require(CratePattern("acme-*"))
            try await scene.origin.slices.upstreams.reserve([pattern], in: scene.repository, by: .commandLine)
            for name in ["acme-secret", "ACME_other", "bar"] {
                try scene.upstream.offer(MadeCrate(name, "1.0.0"))
                #expect(try await scene.index(name).status == 404)
            }
            #expect(scene.upstream.requests == [])
        }
    }

    @Test func `SSRF: an upstream inside is not contacted unless it is allowed to be there`() async throws {
        try await UpstreamScene.with(privateAllowed: false) { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            #expect(try await scene.index("foo").status == 503)
            #expect(scene.upstream.requests == [])
            #expect(try await scene.faults().first?.contains("--allow-private") == true)
        }
    }

    @Test func `many who ask at once cost one question, and an absent name is remembered`() async throws {
        try await UpstreamScene.with { scene in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 { group.addTask { try await scene.index("none").status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 404, count: 30))
            #expect(scene.upstream.requests == ["no/ne/none"])
        }
    }

    @Test func `the follower asks again by itself, and edges hear of it`() async throws {
        try await UpstreamScene.with(freshSeconds: 1) { scene in
            #expect(try await scene.index("foo").status == 404)
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            let start = try await scene.origin.slices.repositories.list().position
            var position = start
            for _ in 0..<200 where position == start {
                try await Task.sleep(for: .milliseconds(50))
                position = try await scene.origin.slices.repositories.list().position
            }
            #expect(position == start + 1)
            #expect(try await scene.index("foo").status == 200)
        }
    }

    @Test func `I11: a closure says nothing of names that were not asked for`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0").needs("dep", "^1"))
            let edge = try await scene.origin.edge("eu")
            let question = ClosureQuestion(roots: [try CrateName("foo").indexPath, try CrateName("none").indexPath])
            let answer = try await httpCall(
                "POST", scene.origin.url + EdgeWire.closurePrefix + "main",
                headers: [("authorization", "Bearer \(edge)")], body: .init(bytes: question.bytes))
            #expect(answer.status == 200)
            let text = String(decoding: answer.body.readableBytesView, as: UTF8.self)
            #expect(text.contains(#""name":"foo""#))
            #expect(scene.upstream.requests.sorted() == ["3/f/foo", "no/ne/none"])
        }
    }
}
