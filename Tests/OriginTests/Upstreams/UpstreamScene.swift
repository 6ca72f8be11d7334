import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// An origin that reads through to a scripted registry, over real sockets and a real database.
struct UpstreamScene: Sendable {
    let origin: TestOrigin
    let upstream: ScriptedUpstream
    let repository: Repository

    var store: UpstreamStore { origin.slices.upstreams }

    func index(_ name: String) async throws -> HTTPAnswer {
        try await origin.call("GET", "/main/index/\(CrateName(name).indexPath)")
    }

    func download(_ name: String, _ version: String = "1.0.0") async throws -> HTTPAnswer {
        try await origin.call("GET", "/main/dl/\(name)/\(version)/download")
    }

    /// What was answered is no longer fresh, and no fault keeps from asking.
    func age(seconds: Int = 3600) async throws {
        _ = try await origin.slices.pool.execute(
            "UPDATE upstream_files SET checked_at = checked_at - make_interval(secs => \(Double(seconds)))")
        try await endPauses()
    }

    func endPauses() async throws {
        _ = try await origin.slices.pool.execute(
            "UPDATE upstream_faults SET retry_at = now() WHERE retry_at > now()")
        _ = try await origin.slices.pool.execute("UPDATE upstreams SET paused_until = NULL")
    }

    func refresh(_ name: String) async throws {
        try await age()
        for upstream in try await store.list(of: repository) {
            try await origin.slices.upstreamDesk.refresh(CrateName(name), at: upstream.id, in: repository)
        }
    }

    func faults() async throws -> [String] { try await store.faults(of: repository).map(\.cause) }

    /// Changes the one upstream.
    func put(
        _ index: String? = nil, privateAllowed: Bool = true, freshSeconds: Int = 86_400, alsoHosts: [String] = []
    ) async throws {
        let offer = try UpstreamOffer(
            name: RepositoryName("up"), index: index ?? upstream.url, include: [], exclude: [],
            freshSeconds: freshSeconds, privateAllowed: privateAllowed, alsoHosts: alsoHosts)
        _ = try await store.put(offer, in: repository, by: .commandLine)
    }

    static func with(
        privateAllowed: Bool = true, filter: UpstreamFilter = .init(), freshSeconds: Int = 86_400,
        _ body: @Sendable @escaping (UpstreamScene) async throws -> Void
    ) async throws {
        try await ScriptedUpstream.with { upstream in
            try await TestOrigin.with { origin in
                let made = try await origin.repository("main")
                let index = try #require(UpstreamIndex("sparse+" + upstream.url))
                try await origin.slices.upstreams.add(
                    .init(
                        name: RepositoryName("up"), index: index, filter: filter, freshSeconds: freshSeconds,
                        privateAllowed: privateAllowed), to: made, by: .commandLine)
                let repository = try await origin.slices.repositories.require(made.name)
                try await body(UpstreamScene(origin: origin, upstream: upstream, repository: repository))
            }
        }
    }
}
