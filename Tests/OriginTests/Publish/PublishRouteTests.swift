import CrateFile
import Foundation
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct PublishRouteTests {
    // E1, B1, B8
    @Test func `a published crate has its line, its file and its search entry at once`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("foo", "0.1.0").described("A foo")
            let answer = try await origin.publish(crate, alice)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(answer.body == CargoAnswer.published(warnings: []).json)
            let lines = try await origin.lines("3/f/foo")
            let line = try IndexLine(parsing: #require(lines.first))
            #expect(line.name.spelling == "foo" && line.pubtime?.description == "2023-11-14T22:13:20Z")
            let file = try await origin.send("GET", "/main/crates/foo/0.1.0/\(line.checksum).crate")
            #expect(try file.bytes == crate.crate())
            #expect(file.headers["content-type"] == "application/gzip" && file.headers["content-encoding"] == nil)
            let plain = try await origin.send("GET", "/main/dl/foo/0.1.0/download")
            #expect(plain.bytes == file.bytes)
            let found = try await origin.send("GET", "/main/api/v1/crates?q=foo")
            #expect(found.body.contains("\"max_version\":\"0.1.0\"") && found.body.contains("A foo"))
        }
    }

    // G1...G14: each is refused with its reason, and nothing stays.
    @Test func `hostile archives are refused and leave nothing`() async throws {
        try await SliceOrigin.with { origin, alice in
            let metadata = MadeCrate("bar", "1.0.0").metadata
            for hostile in HostileCrate.all {
                let body = try MadeCrate.publishBody(metadata: metadata, crate: hostile.bytes())
                guard body.count < SliceOrigin.uploadBytesMax else { continue }
                let answer = try await origin.publish(body, alice)
                #expect(answer.status == 400, "\(hostile): \(answer.body)")
                #expect(answer.detail.contains(hostile.refusal), "\(hostile): \(answer.body)")
            }
            try await origin.expectNothingStayed()
            #expect(try await origin.lines("3/b/bar") == [])
        }
    }

    // E2, E4, E5, E7, E8
    @Test func `lengths that lie are refused in crates.io's words`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("bar", "1.0.0")
            let good = try crate.publishBody()
            let json = crate.metadata.utf8.count
            let cases: [(body: [UInt8], status: Int, detail: String)] = [
                ([], 400, "invalid metadata length"),
                ([1, 0, 0], 400, "invalid metadata length"),
                ([100, 0, 0, 0] + Array("{}".utf8), 400, "invalid metadata length for remaining payload: 100"),
                ([255, 255, 255, 255] + good.dropFirst(4), 413, "JSON metadata blob too large"),
                (Array(good[..<(4 + json)]), 400, "invalid tarball length"),
                (Array(good.dropLast()), 400, "invalid tarball length for remaining payload"),
                (good + [0], 400, "follow the tarball"),
            ]
            for (body, status, detail) in cases {
                let answer = try await origin.publish(body, alice)
                #expect(answer.status == status && answer.detail.hasPrefix(detail) || answer.detail.contains(detail))
                #expect(answer.headers["content-type"] == "application/json")
            }
            try await origin.expectNothingStayed()
        }
    }

    // E5, E10: over a real socket, with a body that is still on its way.
    @Test func `an upload that is announced too large gets its answer before the body`() async throws {
        try await SliceOrigin.with { origin, alice in
            let head = RawRequest.publishHead(token: alice, contentLength: 1 << 33)
            let some = [UInt8](repeating: 7, count: 3 << 20)
            let answer = await RawRequest.send([head, some], port: origin.port)
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
            #expect(answer.contains("max upload size is: \(SliceOrigin.uploadBytesMax)"))
            #expect(answer.lowercased().contains("connection: close"))
            try await origin.expectNothingStayed()
        }
    }

    // E10
    @Test func `a client that waits for 100 Continue gets it, or the final answer instead`() async throws {
        try await SliceOrigin.with { origin, alice in
            let expect = "expect: 100-continue\r\n"
            let body = try MadeCrate("bar", "1.0.0").publishBody()
            let head = RawRequest.publishHead(token: alice, contentLength: body.count, extra: expect)
            let asked = await RawRequest.send([head], port: origin.port, answerEndsWith: "\r\n\r\n")
            #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
            let whole = await RawRequest.send([head, body], port: origin.port, answerEndsWith: "}}")
            #expect(whole.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "\(whole)")
            let stranger = RawRequest.publishHead(token: "lsh_tno", contentLength: body.count, extra: expect)
            let refused = await RawRequest.send([stranger], port: origin.port)
            #expect(refused.hasPrefix("HTTP/1.1 401"), "\(refused)")
        }
    }

    @Test func `a publish behind another request on the same connection is read to its end`() async throws {
        try await SliceOrigin.with { origin, alice in
            let body = try MadeCrate("bar", "1.0.0").publishBody()
            let first = Array("GET /main/me HTTP/1.1\r\nhost: x\r\n\r\n".utf8)
            let head = RawRequest.publishHead(token: alice, contentLength: body.count)
            let answer = await RawRequest.send(
                [first + head + body[..<40], Array(body[40...])], port: origin.port, answerEndsWith: "}}")
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("</html>"), "\(answer)")
            #expect(answer.hasSuffix(CargoAnswer.published(warnings: []).json), "\(answer)")
        }
    }

    // A26: cargo offers h2c in the first request of a connection and sends the next one over it.
    @Test func `a connection whose first request offers h2c goes on`() async throws {
        try await SliceOrigin.with { origin, _ in
            let offer = "connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
            let plain = Array("GET /main/me HTTP/1.1\r\nhost: x\r\n\r\n".utf8)
            let first = Array("GET /main/me HTTP/1.1\r\nhost: x\r\n\(offer)\r\n".utf8)
            let last = Array("GET /me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".utf8)
            for parts in [[first, plain, last], [Array(first[..<50]), Array(first[50...]) + plain + last]] {
                let answer = await RawRequest.send(parts, port: origin.port)
                #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 3, "\(answer)")
            }
            let later = await RawRequest.send([plain, first], port: origin.port)
            #expect(later.split(separator: "HTTP/1.1 200 OK").count == 2, "\(later)")
            #expect(later.lowercased().contains("connection: close"), "\(later)")
        }
    }

    @Test func `a client that hangs up in the middle leaves nothing`() async throws {
        try await SliceOrigin.with { origin, alice in
            let body = try MadeCrate("bar", "1.0.0").publishBody()
            let head = RawRequest.publishHead(token: alice, contentLength: body.count)
            for cut in [0, 3, 40, body.count - 1] {
                _ = await RawRequest.send([head, Array(body[..<cut])], port: origin.port, hangsUp: true)
            }
            // Another upload on the same server shows that the ones before are over, or soon will be.
            for _ in 0..<200
            where try !FileManager.default.contentsOfDirectory(atPath: origin.blobFolder + "/tmp").isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await origin.expectNothingStayed()
        }
    }

    // E16
    @Test func `two identical publishes at once give one success`() async throws {
        try await SliceOrigin.with(replicas: 2) { origin, alice in
            let crate = MadeCrate("bar", "1.0.0")
            async let one = origin.publish(crate, alice)
            async let other = origin.publish(crate, alice, toOther: true)
            let answers = try await [one, other].sorted { $0.status < $1.status }
            #expect(answers.map(\.status) == [200, 400])
            #expect(answers[1].detail.hasPrefix("crate version '1.0.0' is already uploaded"))
            #expect(try await origin.lines("3/b/bar").count == 1)
        }
    }

    @Test func `fifty publishes of one crate at once through two replicas give fifty lines`() async throws {
        try await SliceOrigin.with(replicas: 2) { origin, alice in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await origin.publish(
                            MadeCrate("bar", "1.0.\(number)"), alice, toOther: number.isMultiple(of: 2)
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 50))
            let versions = try await origin.lines("3/b/bar").map { try IndexLine(parsing: $0).version }
            #expect(versions.sorted() == (0..<50).map { try? Version("1.0.\($0)") })
            let tag = try await origin.send("HEAD", "/main/index/3/b/bar").headers["etag"]
            #expect(tag.flatMap { EntityTag(parsing: $0) }?.generation == 50)
        }
    }

    // F2, F5, E13, E17, I2
    @Test func `names, numbers and crates that are taken stay taken`() async throws {
        try await SliceOrigin.with { origin, alice in
            #expect(try await origin.publish(MadeCrate("foo-bar", "1.0.0+a"), alice).status == 200)
            let again = try await origin.publish(MadeCrate("foo-bar", "1.0.0+a"), alice)
            #expect(again.status == 400 && again.detail.contains("is already uploaded"))
            let build = try await origin.publish(MadeCrate("foo-bar", "1.0.0+b"), alice)
            #expect(build.status == 400 && build.detail.contains("is already uploaded"))
            let spelling = try await origin.publish(MadeCrate("Foo_Bar", "2.0.0"), alice)
            #expect(spelling.status == 400 && spelling.detail.contains("crate was previously named 'foo-bar'"))
            let bob = try await origin.token("bob", [.publishNew, .publishUpdate])
            let stranger = try await origin.publish(MadeCrate("foo-bar", "2.0.0"), bob)
            #expect(stranger.status == 403 && stranger.detail.contains("don't seem to be an owner"))
            try await origin.expectNothingStayed(crates: 1)
        }
    }

    // I2: the memory of a checksum outlives its version.
    @Test func `a deleted version comes back with its own bytes only`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("foo", "1.0.0")
            #expect(try await origin.publish(crate, alice).status == 200)
            _ = try await origin.pool.execute("DELETE FROM crates")
            let other = try await origin.publish(crate.described("other bytes"), alice)
            #expect(other.status == 400 && other.detail.contains("is already uploaded"))
            #expect(try await origin.publish(crate, alice).status == 200)
        }
    }

    // F1, F4
    @Test(arguments: [
        ("1foo", "1.0.0"), ("_foo", "1.0.0"), ("-foo", "1.0.0"), ("foo+bar", "1.0.0"), ("e\u{301}", "1.0.0"),
        ("", "1.0.0"),
        (String(repeating: "a", count: 65), "1.0.0"), ("nul", "1.0.0"), ("std", "1.0.0"), ("foo", "1.0"),
        ("foo", "v1.0.0"), ("foo", "01.0.0"), ("foo", "1.0.0-" + String(repeating: "a", count: 145)),
    ])
    func `a bad name or version is refused with a reason`(name: String, version: String) async throws {
        try await SliceOrigin.with { origin, alice in
            let answer = try await origin.publish(MadeCrate(name, version), alice)
            #expect(answer.status == 400 && !answer.detail.isEmpty, "\(answer.body)")
            try await origin.expectNothingStayed()
        }
    }

    @Test func `who may publish is asked before the body`() async throws {
        try await SliceOrigin.with { origin, _ in
            let body = try MadeCrate("foo", "1.0.0").publishBody()
            let anonymous = try await origin.send("PUT", "/main/api/v1/crates/new", body: body)
            #expect(anonymous.status == 401 && !anonymous.details.isEmpty)
            let reader = try await origin.token("reader", [.read])
            #expect(try await origin.publish(body, reader).status == 403)
            let elsewhere = try await origin.token("ci", [.publishNew], crates: ["bar*"])
            #expect(try await origin.publish(body, elsewhere).status == 403)
            let updater = try await origin.token("up", [.publishUpdate])
            #expect(try await origin.publish(body, updater).status == 403)
            let nowhere = try await origin.send("PUT", "/other/api/v1/crates/new", token: reader, body: body)
            #expect(nowhere.status == 404 && !nowhere.details.isEmpty)
            try await origin.expectNothingStayed()
        }
    }

    // G16, F19, B4, B5
    @Test func `the line follows the manifest, and unknown dependencies are allowed`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("app", "1.0.0").needs("unknown", "^1")
            #expect(try await origin.publish(crate, alice).status == 200)
            let line = try IndexLine(parsing: #require(try await origin.lines("3/a/app").first))
            #expect(line.dependencies.map(\.name) == ["unknown"])
        }
    }
}
