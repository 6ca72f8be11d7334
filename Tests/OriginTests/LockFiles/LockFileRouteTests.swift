import Foundation
import NIOCore
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// Lock files of builds over HTTP: who may put, read and remove them, and what is refused.
struct LockFileRouteTests {
    private struct Kept: Decodable {
        struct Record: Decodable {
            let name: String
            let owner: String
            let put_by: String
            let token: Int64?
            let packages: Int
        }
        let lock_file: Record
        let change: String
    }

    private struct List: Decodable { let lock_files: [Kept.Record] }

    private func names(_ origin: TestOrigin, as caller: TestOrigin.Caller) async throws -> [String] {
        let answer = try await origin.call("GET", "/api/v1/repositories/main/lock-files", as: caller)
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(List.self, from: Data(answer.text.utf8)).lock_files.map(\.name)
    }

    /// As if the last texts had come long ago.
    private func age(_ origin: TestOrigin) async throws {
        _ = try await origin.slices.pool.execute("UPDATE lock_files SET changed_at = changed_at - interval '1 hour'")
    }

    @Test func `a build puts its lock file with the token that it reads with, and gets it back as it was`()
        async throws
    {
        try await TestOrigin.with { origin in
            try await origin.repository("main", isPrivate: true)
            let made = try await origin.made("ci", [.read], in: ["main"])
            let ci = TestOrigin.Caller.token(made.secret.text)
            let first = try await origin.putLockFile("team/app@main", as: ci, .init("foo"), .init("bar"))
            #expect(first.status == 201, "\(first.text)")
            let kept = try JSONDecoder().decode(Kept.self, from: Data(first.text.utf8))
            #expect(kept.change == "added" && kept.lock_file.packages == 2)
            #expect(kept.lock_file.owner == "ci" && kept.lock_file.token == made.record.id)
            let text = LockFileScene.text([.init("foo"), .init("bar")])
            #expect(try await origin.lockFile("GET", "team/app@main", as: ci).text == text)
            #expect(try await origin.lockFile("GET", "team%2Fapp@main", as: ci).status == 400)

            let again = try await origin.putLockFile("team/app@main", as: ci, .init("foo"), .init("bar"))
            #expect(again.status == 200 && again.text.contains(#""change":"unchanged""#), "\(again.text)")
            let hasty = try await origin.putLockFile("team/app@main", as: ci, .init("foo"))
            #expect(hasty.status == 429 && hasty.text.contains("give each build a name of its own"), "\(hasty.text)")
            try await age(origin)
            let other = try await origin.putLockFile("team/app@main", as: ci, .init("foo"))
            #expect(other.status == 200 && other.text.contains(#""change":"replaced""#), "\(other.text)")
            #expect(try await names(origin, as: ci) == ["team/app@main"])
            #expect(try await origin.slices.pool.query("SELECT FROM lock_entries").count == 1)

            #expect(try await origin.lockFile("DELETE", "team/app@main", as: ci).status == 200)
            #expect(try await origin.lockFile("DELETE", "team/app@main", as: ci).status == 404)
            #expect(try await origin.lockFile("GET", "team/app@main", as: ci).status == 404)
            #expect(try await origin.slices.pool.query("SELECT FROM lock_entries").isEmpty)
            let lines = try await origin.slices.auditTrail.list(AuditFilter(after: 0, limit: 100))
                .filter { $0.action.hasPrefix("lock-file.") }
            #expect(lines.map(\.action) == ["lock-file.put", "lock-file.put", "lock-file.remove"])
            #expect(lines.allSatisfy { $0.actor == "ci" && $0.token == made.record.id && $0.repository == "main" })
            #expect(lines.allSatisfy { $0.detail["name"] == "team/app@main" && $0.detail["sha256"]?.count == 64 })
        }
    }

    @Test func `a user sees and touches what is theirs, an administrator everything, nobody else anything`()
        async throws
    {
        try await TestOrigin.with { origin in
            // Public: what builds are made of is nobody's business all the same.
            try await origin.repository("main")
            try await origin.repository("other")
            let ann = TestOrigin.Caller.token(try await origin.token("ann", [.read], in: ["main"]))
            let bob = TestOrigin.Caller.token(try await origin.token("bob", [.read], in: ["main"]))
            let root = TestOrigin.Caller.token(try await origin.token("root", [.admin], in: ["main"]))
            let publisher = TestOrigin.Caller.token(try await origin.token("pub", [.publishNew], in: ["main"]))
            let stranger = TestOrigin.Caller.token(try await origin.token("eve", [.read, .admin], in: ["other"]))
            #expect(try await origin.putLockFile("a", as: ann, .init("foo")).status == 201)
            #expect(try await origin.putLockFile("b", as: bob, .init("bar")).status == 201)

            for (caller, status) in [(TestOrigin.Caller.anonymous, 401), (publisher, 403), (stranger, 403)] {
                #expect(try await origin.putLockFile("c", as: caller, .init("foo")).status == status)
                #expect(try await origin.lockFile("GET", "a", as: caller).status == status)
                #expect(try await origin.lockFile("DELETE", "a", as: caller).status == status)
                let list = try await origin.call("GET", "/api/v1/repositories/main/lock-files", as: caller)
                #expect(list.status == status)
            }
            // Whether there is such a repository is not told either.
            #expect(try await origin.lockFile("GET", "a", as: ann, in: "nowhere").status == 403)

            try await age(origin)
            let taken = try await origin.putLockFile("a", as: bob, .init("evil"))
            #expect(taken.status == 409 && taken.text.contains("choose another name"), "\(taken.text)")
            #expect(try await origin.lockFile("GET", "a", as: bob).status == 404)
            #expect(try await origin.lockFile("DELETE", "a", as: bob).status == 404)
            #expect(try await names(origin, as: ann) == ["a"])
            #expect(try await names(origin, as: root) == ["a", "b"])

            let mended = try await origin.putLockFile("a", as: root, .init("baz"))
            let kept = try JSONDecoder().decode(Kept.self, from: Data(mended.text.utf8)).lock_file
            #expect(kept.owner == "ann" && kept.put_by == "root", "\(mended.text)")
            #expect(try await origin.lockFile("GET", "a", as: ann).text.contains("baz"))
            #expect(try await origin.lockFile("DELETE", "b", as: root).status == 200)
        }
    }

    @Test func `what is no lock file, has no name or is too large is refused with the reason`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            let secret = try await origin.token("ci", [.read], in: ["main"])
            let ci = TestOrigin.Caller.token(secret)
            let good = ByteBuffer(string: LockFileScene.text([.init("foo")]))
            let cases: [(name: String, body: ByteBuffer?, status: Int, says: String)] = [
                ("app", nil, 400, "holds no `[[package]]`"), ("app", ByteBuffer(string: "<html>"), 400, "line 1"),
                ("app", ByteBuffer(bytes: [0xff, 0xfe]), 400, "not UTF-8"),
                ("a%2F..%2Fb", good, 400, "cannot name a lock file"), (".x", good, 400, "cannot name a lock file"),
                (String(repeating: "a", count: 129), good, 400, "is longer than"), ("a%20b", good, 400, "cannot name"),
            ]
            for one in cases {
                let answer = try await origin.lockFile("PUT", one.name, as: ci, body: one.body)
                #expect(answer.status == one.status && answer.text.contains(one.says), "\(one.name): \(answer.text)")
            }
            // The answer overtakes the body; not every client reads it while it still sends.
            let head =
                "PUT /api/v1/repositories/main/lock-files/app HTTP/1.1\r\nhost: a\r\nauthorization: \(secret)\r\n"
                + "content-length: \(LockFile.bytesMax + 1)\r\n\r\n"
            let port = try #require(URL(string: origin.url)?.port)
            let large = await RawRequest.send([Array(head.utf8), Array(repeating: 0x23, count: 1 << 20)], port: port)
            #expect(large.hasPrefix("HTTP/1.1 413") && large.contains("at most 4 MiB"), "\(large)")
            #expect(try await names(origin, as: ci).isEmpty)
        }
    }

    @Test func `one user's builds can't fill the repository, and it does not grow without end`() async throws {
        try await TestOrigin.with { origin in
            let repository = try await origin.repository("main")
            let ci = TestOrigin.Caller.token(try await origin.token("ci", [.read], in: ["main"]))
            let ann = TestOrigin.Caller.token(try await origin.token("ann", [.read], in: ["main"]))
            let fill = { (owner: String, count: Int) in
                _ = try await origin.slices.pool.execute(
                    """
                    INSERT INTO lock_files (repository_id, name, owner, put_by, text, bytes, sha256, packages)
                    SELECT \(repository.id), \(owner) || n, \(owner), \(owner), '', 0, decode(repeat('00', 32), 'hex'), 0
                    FROM generate_series(1, \(count)) AS n
                    """)
            }
            try await fill("ci", LockFileCheck.filesOfOneMax - 1)
            #expect(try await origin.putLockFile("last", as: ci, .init("foo")).status == 201)
            let own = try await origin.putLockFile("more", as: ci, .init("foo"))
            #expect(own.status == 409 && own.text.contains("no more are kept of one user"), "\(own.text)")
            #expect(try await origin.putLockFile("more", as: ann, .init("foo")).status == 201)
            try await fill("x", LockFileCheck.filesMax - LockFileCheck.filesOfOneMax - 1)
            let any = try await origin.putLockFile("yet-more", as: ann, .init("foo"))
            #expect(any.status == 409 && any.text.contains("the repository has 1000 lock files"), "\(any.text)")
            try await origin.slices.repositories.delete(repository.name, by: .commandLine)
            #expect(try await origin.slices.pool.query("SELECT FROM lock_files").isEmpty)
        }
    }

    @Test func `builds that put at the same time are counted one after the other`() async throws {
        try await TestOrigin.with(replicas: 2) { origin in
            let repository = try await origin.repository("main")
            let ci = TestOrigin.Caller.token(try await origin.token("ci", [.read], in: ["main"]))
            _ = try await origin.slices.pool.execute(
                """
                INSERT INTO lock_files (repository_id, name, owner, put_by, text, bytes, sha256, packages)
                SELECT \(repository.id), 'ci' || n, 'ci', 'ci', '', 0, decode(repeat('00', 32), 'hex'), 0
                FROM generate_series(1, \(LockFileCheck.filesOfOneMax - 3)) AS n
                """)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await httpCall(
                            "PUT", origin.urls[number % 2] + "/api/v1/repositories/main/lock-files/new\(number)",
                            headers: ci.headers, body: ByteBuffer(string: LockFileScene.text([.init("foo")]))
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == 3 && statuses.filter { $0 == 409 }.count == 5, "\(statuses)")
        }
    }
}
