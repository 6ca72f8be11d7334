import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct YankRouteTests {
    // H1, B13, A20: the bytes come back, the generation counts on.
    @Test func `an unyank restores the file's bytes under a higher generation`() async throws {
        try await SliceOrigin.with { origin, alice in
            for version in ["1.0.0", "1.1.0+meta"] { _ = try await origin.publish(MadeCrate("foo", version), alice) }
            let before = try await origin.send("GET", "/main/index/3/f/foo")
            let yank = try await origin.send("DELETE", "/main/api/v1/crates/foo/1.0.0/yank", token: alice)
            #expect(yank.status == 200 && yank.body == #"{"ok":true}"#)
            let yanked = try await origin.send("GET", "/main/index/3/f/foo")
            #expect(yanked.body.contains("\"yanked\":true") && yanked.body.split(separator: "\n").count == 2)
            let unyank = try await origin.send("PUT", "/main/api/v1/crates/foo/1.0.0/unyank", token: alice)
            #expect(unyank.status == 200)
            let after = try await origin.send("GET", "/main/index/3/f/foo")
            #expect(after.body == before.body && yanked.body != before.body)
            let tags = try [before, yanked, after].map { try #require(EntityTag(parsing: $0.headers["etag"] ?? "")) }
            #expect(tags.map(\.generation) == [2, 3, 4])
            #expect(tags[0].checksum == tags[2].checksum && tags[0].checksum != tags[1].checksum)
        }
    }

    // H2
    @Test func `a yank that changes nothing is fine and makes no event`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            for _ in 0..<2 {
                let answer = try await origin.send("DELETE", "/main/api/v1/crates/foo/1.0.0/yank", token: alice)
                #expect(answer.status == 200 && answer.body == #"{"ok":true}"#)
            }
            let rows = try await origin.pool.query("SELECT count(*) AS count FROM feed WHERE kind = 'index'")
            #expect(try rows.first?.value("count", as: Int.self) == 2)
        }
    }

    // F5 of the issue: a yanked version stays taken.
    @Test func `a yanked version can't be published again`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("foo", "1.0.0")
            _ = try await origin.publish(crate, alice)
            _ = try await origin.send("DELETE", "/main/api/v1/crates/foo/1.0.0/yank", token: alice)
            let again = try await origin.publish(crate, alice)
            #expect(again.status == 400 && again.detail.contains("already uploaded"))
        }
    }

    @Test func `what is not there or not yours is refused in JSON`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let bob = try await origin.token("bob", [.yank])
            let admin = try await origin.token("root", [.admin])
            let cases: [(path: String, token: String?, status: Int)] = [
                ("foo/2.0.0", alice, 404), ("bar/1.0.0", alice, 404), ("foo/1.0", alice, 400), ("foo/1.0.0", nil, 401),
                ("foo/1.0.0", bob, 403), ("foo/1.0.0", admin, 200),
            ]
            for (path, token, status) in cases {
                let answer = try await origin.send("DELETE", "/main/api/v1/crates/\(path)/yank", token: token)
                #expect(answer.status == status, "\(path): \(answer.body)")
                #expect(status == 200 || answer.details.count == 1, "\(answer.body)")
            }
        }
    }
}
