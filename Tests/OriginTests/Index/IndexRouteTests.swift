import Foundation
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

struct IndexRouteTests {
    // A4, A5, A7, A8, A17
    @Test func `a file has a strong tag and answers to it`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let path = "/main/index/3/f/foo"
            let file = try await origin.send("GET", path)
            let tag = try #require(file.headers["etag"])
            #expect(file.status == 200 && file.headers["content-type"]?.hasPrefix("text/plain") == true)
            #expect(EntityTag(parsing: tag)?.generation == 1)
            for (condition, status) in [
                (tag, 304), ("W/\(tag)", 304), ("\"a\", \(tag)", 304), ("*", 304), ("\"a\"", 200), ("\"g2-00\"", 200),
            ] {
                let answer = try await origin.send("GET", path, headers: ["if-none-match": condition])
                #expect(answer.status == status, "\(condition)")
                #expect(answer.headers["etag"] == tag && (status == 200 || answer.body.isEmpty))
            }
            let head = try await origin.send("HEAD", path)
            #expect(head.status == 200 && head.headers["etag"] == tag && head.body.isEmpty)
            #expect(head.headers["content-length"] == "\(file.bytes.count)")
        }
    }

    // A11, A13, A16
    @Test(arguments: [
        "/main/index/3/B/Bar", "/main/index/ba/r-/bar-b", "/main/index/3/b/../b/bar", "/main/index/3//b/bar",
        "/main/index/3/b/bar%00", "/main/index/3/b/%62ar", "/main/index/3/b/bar/", "/main/index//3/b/bar",
        "/main//index/3/b/bar", "/main/index/ba/rx/barx", "/main/index/", "/nowhere/index/3/b/bar",
    ])
    func `a path that is not canonical is 404 in text`(path: String) async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("bar", "1.0.0"), alice)
            _ = try await origin.publish(MadeCrate("bar_b", "1.0.0"), alice)
            let request = Array("GET \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".utf8)
            let answer = await RawRequest.send([request], port: origin.port)
            #expect(answer.hasPrefix("HTTP/1.1 404"), "\(answer)")
            #expect(answer.lowercased().contains("cache-control: no-store"))
        }
    }

    // D1, D2, D4, D7, D13, D14, D17
    @Test func `a private repository asks for a token everywhere`() async throws {
        try await SliceOrigin.with(isPrivate: true) { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let file = try await origin.send("GET", "/main/index/3/f/foo", token: alice)
            let line = try IndexLine(parsing: String(file.body.dropLast()))
            let download = "/main/crates/foo/1.0.0/\(line.checksum).crate"
            let writer = try await origin.token("writer", [.publishNew])
            let other = try await origin.token("other", [.read], crates: ["bar"])
            for path in ["/main/index/config.json", "/main/index/3/f/foo", download, "/main/dl/foo/1.0.0/download"] {
                let anonymous = try await origin.send("GET", path)
                #expect(anonymous.status == 401, "\(path)")
                #expect(
                    anonymous.headers["www-authenticate"] == #"Cargo login_url="https://crates.example/main/me""#)
                #expect(anonymous.headers["content-type"]?.hasPrefix("text/plain") == true)
                #expect(try await origin.send("GET", path, token: "Bearer \(alice)").status == 200)
                #expect(try await origin.send("GET", path, token: writer).status == 403)
                if !path.hasSuffix("config.json") {
                    #expect(try await origin.send("GET", path, token: other).status == 403)
                }
            }
            let config = try await origin.send("GET", "/main/index/config.json", token: alice)
            #expect(config.body.contains(#""auth-required":true"#))
            #expect(config.headers["cache-control"]?.contains("private") == true)
        }
    }

    // A1, A2
    @Test func `config json comes from configuration, whatever the host says`() async throws {
        try await SliceOrigin.with { origin, _ in
            let answer = try await origin.send(
                "GET", "/main/index/config.json", headers: ["host": "evil.example", "if-none-match": "*"])
            #expect(answer.status == 200)
            #expect(answer.body.contains(#""api":"https://crates.example/main""#) && !answer.body.contains("evil"))
        }
    }

    @Test func `edges read the same bytes with the position of the snapshot`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let edge = try await origin.edges.create(name: "eu", region: "", by: .commandLine).secret.text
            let file = try await origin.send("GET", "/edge/v1/index/main/3/f/foo", token: "Bearer \(edge)")
            let plain = try await origin.send("GET", "/main/index/3/f/foo")
            #expect(file.status == 200 && file.body == plain.body)
            let head = try await origin.pool.query("SELECT position FROM feed_head").first
            let position = try head?.value("position", as: Int.self)
            #expect(file.headers["longshore-position"] == position.map { "\($0)" })
            let absent = try await origin.send("GET", "/edge/v1/index/main/3/b/bar", token: "Bearer \(edge)")
            #expect(absent.status == 404 && absent.headers["longshore-position"] == position.map { "\($0)" })
            let line = try IndexLine(parsing: String(plain.body.dropLast()))
            for (path, status) in [
                ("main/foo/1.0.0/\(line.checksum)", 200), ("main/Foo/1.0.0/\(line.checksum)", 404),
                ("main/foo/1.0.1/\(line.checksum)", 404),
                ("main/foo/1.0.0/\(String(repeating: "0", count: 64))", 404),
            ] {
                let crate = try await origin.send("GET", "/edge/v1/crates/\(path).crate", token: "Bearer \(edge)")
                #expect(crate.status == status && crate.headers["longshore-position"] != nil, "\(path)")
            }
            #expect(try await origin.send("GET", "/edge/v1/index/main/3/f/foo", token: alice).status == 403)
            #expect(try await origin.send("GET", "/edge/v1/index/main/3/f/foo").status == 401)
        }
    }

    // I7: the bytes of one repository can't be had through another.
    @Test func `a hash that another repository has is not found here`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.repositories.create(
                RepositoryName("secret"), RepositorySettings(isPrivate: true), by: .commandLine)
            let crate = MadeCrate("foo", "1.0.0")
            let published = try await origin.send(
                "PUT", "/secret/api/v1/crates/new", token: alice, body: crate.publishBody())
            #expect(published.status == 200)
            let file = try await origin.send("GET", "/secret/index/3/f/foo", token: alice)
            let line = try IndexLine(parsing: String(file.body.dropLast()))
            let path = "crates/foo/1.0.0/\(line.checksum).crate"
            #expect(try await origin.send("GET", "/secret/\(path)", token: alice).status == 200)
            #expect(try await origin.send("GET", "/main/\(path)", token: alice).status == 404)
        }
    }

    // B11, and 11 MB in one answer.
    @Test func `a file of five thousand versions and eleven megabytes is served`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("big", "0.0.1"), alice)
            _ = try await origin.pool.execute(
                """
                INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
                SELECT crates.id, '1.0.' || n, '1.0.' || n, decode(repeat('00', 32), 'hex'), 1,
                  '{"name":"big","vers":"1.0.' || n || '","x":"' || repeat('y', 2200) || '"}'
                FROM crates, generate_series(1, 5000) AS n
                """)
            #expect(try await origin.publish(MadeCrate("big", "2.0.0"), alice).status == 200)
            let file = try await origin.send("GET", "/main/index/3/b/big")
            #expect(file.bytes.count > 11_000_000 && file.body.hasSuffix("}\n"))
            #expect(file.body.utf8.count { $0 == UInt8(ascii: "\n") } == 5002)
            let tag = try #require(EntityTag(parsing: file.headers["etag"] ?? ""))
            #expect(tag.checksum == SliceOrigin.checksum(of: file.bytes))
        }
    }
}
