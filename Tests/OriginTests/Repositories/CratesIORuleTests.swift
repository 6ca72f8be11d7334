import Foundation
import NIOCore
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Dependencies of own crates on crates.io, through real sockets and a real database.
struct CratesIORuleTests {
    private struct Scene: Sendable {
        let origin: TestOrigin
        let token: String

        var name: RepositoryName { get throws { try RepositoryName("main") } }

        func repository() async throws -> Repository { try await origin.slices.repositories.require(name) }

        func publish(_ crate: MadeCrate) async throws {
            let answer = try await httpCall(
                "PUT", origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
                body: .init(bytes: try crate.publishBody()))
            #expect(answer.status == 200, "\(answer.text)")
        }

        /// Of the dependencies in the crate's only line.
        func registries(_ name: String) async throws -> [String?] {
            let text = try await origin.call("GET", "/main/index/\(CrateName(name).indexPath)").text
            return try IndexLine(parsing: text.trimmingCharacters(in: .newlines)).dependencies.map(\.registry)
        }

        func set(_ rule: CratesIORewriting) async throws {
            _ = try await origin.slices.repositories.update(
                name, RepositorySettings(cratesIO: rule), by: .commandLine)
        }

        func renew() async throws -> Int { try await origin.slices.lineRenewal.renew(repository()) }

        func head() async throws -> UInt64 { try await origin.slices.repositories.list().position }

        func addUpstream(_ name: String, _ index: String) async throws {
            try await origin.slices.upstreams.add(
                .init(name: RepositoryName(name), index: try #require(UpstreamIndex(index))), to: repository(),
                by: .commandLine)
        }
    }

    private static func with(_ body: @Sendable @escaping (Scene) async throws -> Void) async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            try await body(
                Scene(
                    origin: origin,
                    token: origin.token("ann", [.publishNew, .publishUpdate, .yank])))
        }
    }

    @Test func `auto follows the upstreams, and the operator's word wins`() async throws {
        try await Self.with { scene in
            #expect(try await !scene.repository().rewritesCratesIO)
            try await scene.addUpstream("other", "sparse+https://crates.example/")
            #expect(try await !scene.repository().rewritesCratesIO)
            try await scene.addUpstream("crates-io", "sparse+https://index.crates.io/")
            #expect(try await scene.repository().rewritesCratesIO)
            try await scene.set(.off)
            #expect(try await !scene.repository().rewritesCratesIO)
            try await scene.set(.auto)
            #expect(try await scene.repository().rewritesCratesIO)
            let upstream = try RepositoryName("crates-io")
            try await scene.origin.slices.upstreams.remove(upstream, from: scene.repository(), by: .commandLine)
            #expect(try await !scene.repository().rewritesCratesIO)
            try await scene.set(.on)
            #expect(try await scene.repository().rewritesCratesIO)
        }
    }

    @Test func `publish, yank and a change of the rule keep lines right, with one event a changed crate`() async throws
    {
        try await Self.with { scene in
            try await scene.set(.on)
            try await scene.publish(MadeCrate("foo", "1.0.0").needs("serde", "^1"))
            try await scene.publish(MadeCrate("plain", "1.0.0"))
            #expect(try await scene.registries("foo") == [nil])
            let next = try await scene.origin.slices.pool.query(
                "SELECT names FROM dependencies JOIN crates ON crates.id = crate_id WHERE name = 'foo'")
            #expect(try next.first?.value("names", as: [String].self) == ["serde"])
            let yank = try await httpCall(
                "DELETE", scene.origin.url + "/main/api/v1/crates/foo/1.0.0/yank",
                headers: [("authorization", scene.token)])
            #expect(yank.status == 200)

            try await scene.set(.off)
            let before = try await scene.head()
            _ = try await scene.renew()
            // The replica's own renewal may have been faster; together they told of one crate.
            for _ in 0..<200 where try await scene.head() == before { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try await scene.registries("foo") == [IndexURL.cratesIO])
            let text = try await scene.origin.call("GET", "/main/index/3/f/foo").text
            #expect(text.contains(#""yanked":true"#))
            let kinds = try await scene.origin.slices.pool.query(
                "SELECT data FROM feed WHERE kind = 'index' AND data LIKE '%foo%' ORDER BY position")
            #expect(kinds.count == 3)
            #expect(try await scene.renew() == 0)
        }
    }

    @Test func `I3: rules that change while many publish end with every line as the last one says`() async throws {
        try await Self.with { scene in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        try await scene.publish(MadeCrate("crate-\(number)", "1.0.0").needs("serde", "^1"))
                    }
                }
                for rule in [CratesIORewriting.on, .off, .on] {
                    try await Task.sleep(for: .milliseconds(30))
                    try await scene.set(rule)
                    group.addTask { _ = try await scene.renew() }
                }
                try await group.waitForAll()
            }
            _ = try await scene.renew()
            for number in 0..<24 { #expect(try await scene.registries("crate-\(number)") == [nil], "\(number)") }
            try await scene.set(.off)
            _ = try await scene.renew()
            for number in 0..<24 {
                #expect(try await scene.registries("crate-\(number)") == [IndexURL.cratesIO], "\(number)")
            }
            let left = try await scene.origin.slices.pool.query("SELECT FROM versions WHERE published_line IS NOT NULL")
            #expect(left.isEmpty)
        }
    }

    @Test func `the setting is there over HTTP, and a wrong word is refused`() async throws {
        try await Self.with { scene in
            let root = TestOrigin.Caller.token(try await scene.origin.token("root", [.admin]))
            let path = "/api/v1/repositories/main"
            let on = try await scene.origin.call("PATCH", path, as: root, json: #"{"rewrite_crates_io":"on"}"#)
            #expect(on.json["rewrite_crates_io"] as? String == "on" && on.json["rewrites_crates_io"] as? Bool == true)
            let bad = try await scene.origin.call("PATCH", path, as: root, json: #"{"rewrite_crates_io":"yes"}"#)
            #expect(bad.status == 400)
        }
    }
}
