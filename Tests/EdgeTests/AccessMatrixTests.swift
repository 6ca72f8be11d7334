import NIOCore
import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

/// Every kind of address of an edge as every kind of client, so that a new one can't be forgotten.
struct AccessMatrixTests {
    private enum Caller: CaseIterable { case anonymous, reader, publisher, stranger, revoked, edge }

    private static let tokens = Dictionary(
        uniqueKeysWithValues: Caller.allCases.map { ($0, SecretToken(kind: $0 == .edge ? .edge : .token)) })

    // D1, D4, D7, D16, D17
    @Test func `a private repository opens to readers only, whatever the address, method or form`() async throws {
        let download = try MadeDownload("foo", "1.0.0")
        try await withTemporaryFolder("matrix") { folder in
            let origin = try await Self.origin(download)
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                let applied = origin.announce(.token(subject: "revoked")) { script in
                    if let token = Self.tokens[.revoked] { script.tokens[token.hash.description] = nil }
                }
                try await edge.untilApplied(applied)
                for target in EdgePath.Target.allCases {
                    let path = Self.path(to: target, download)
                    for caller in Caller.allCases { try await Self.check(edge, path, as: caller) }
                }
            }
            try await origin.stop()
        }
    }

    private static func check(_ edge: RunningEdge, _ path: String, as caller: Caller) async throws {
        let secret = caller == .anonymous ? nil : tokens[caller]?.text
        let (headers, inPath) = (secret.map { [("authorization", $0)] } ?? [], secret.map { "/t/\($0)\(path)" } ?? path)
        for method in ["GET", "HEAD"] {
            for answer in [
                try await edge.get(path, headers: headers, method: method), try await edge.get(inPath, method: method),
            ] {
                #expect(answer.status == expected(caller), "\(method) \(path) as \(caller)")
                if answer.status != 200 {
                    #expect(!answer.body.contains("1.0.0") && answer.headers["etag"] == nil, "\(path) as \(caller)")
                }
            }
        }
        // Nothing is written through an edge, whoever asks.
        for method in ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"] {
            let status = try await edge.get(path, headers: headers, method: method).status
            #expect(status == 405, "\(method) \(path) as \(caller)")
        }
    }

    private static func expected(_ caller: Caller) -> Int {
        switch caller {
        case .reader: 200
        case .publisher, .stranger: 403
        case .anonymous, .revoked, .edge: 401
        }
    }

    /// A kind of address that is not here does not compile.
    private static func path(to target: EdgePath.Target, _ download: MadeDownload) -> String {
        switch target {
        case .config: "/secret/index/config.json"
        case .index: "/secret/index/3/f/foo"
        case .crate: download.path(in: "secret")
        }
    }

    private static func origin(_ download: MadeDownload) async throws -> ScriptedOrigin {
        let origin = try await ScriptedOrigin.withFoo()
        let grants: [(Caller, Set<Action>, String)] = [
            (.reader, [.read], "secret"), (.publisher, [.publishNew, .publishUpdate, .yank, .owners], "secret"),
            (.stranger, Set(Action.allCases), "main"), (.revoked, [.read], "secret"),
        ]
        let known = try grants.map { caller, actions, repository in
            (
                tokens[caller]?.hash.description ?? "",
                Introspection(
                    subject: "\(caller)",
                    grants: [Grant(actions: actions, repositories: [try RepositoryName(repository)])], expires: nil)
            )
        }
        origin.change { script in
            script.repositories = [
                ScriptedOrigin.entry("main"), ScriptedOrigin.entry("secret", isPrivate: true),
            ]
            script.indexFiles["secret/3/f/foo"] = (1, "{\"name\":\"foo\",\"vers\":\"1.0.0\"}\n")
            script.crates["secret/\(download.file)"] = download.bytes
            for (hash, introspection) in known { script.tokens[hash] = introspection }
        }
        return origin
    }
}
