import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Changes of single settings, as `longshore-origin upstream set` makes them.
struct UpstreamChangeTests {
    private static let name = "up"

    private static func listed(_ scene: UpstreamScene) async throws -> Upstream {
        try #require(try await scene.store.list(of: scene.repository).first)
    }

    /// - Returns: whether the credential is gone.
    private static func change(
        _ scene: UpstreamScene, _ change: UpstreamChange, credential: String? = nil
    ) async throws -> Bool {
        let secret = try credential.map {
            UpstreamStore.ToSeal(
                credential: try #require(UpstreamCredential($0)),
                seal: try KeySeal(secret: "a secret of thirty-two characters", source: "the test"))
        }
        return try await scene.store.change(
            RepositoryName(name), change, secret, in: scene.repository, by: .commandLine)
    }

    private static func details(_ scene: UpstreamScene) async throws -> [[String: String]] {
        try await scene.origin.slices.auditTrail.list(AuditFilter(after: 0, limit: 100))
            .filter { $0.action == "upstream.set" }.map(\.detail)
    }

    @Test func `what is not named stays`() throws {
        let old = Upstream(
            id: 1, name: Self.name, index: try #require(UpstreamIndex("https://one.example/")),
            filter: UpstreamFilter(exclude: try UpstreamOffer.patterns(["acme-*"])), freshSeconds: 30,
            privateAllowed: true, alsoHosts: try UpstreamOffer.hosts(["files.example"]), sealedCredential: nil)
        let name = try RepositoryName(Self.name)
        func changed(_ change: UpstreamChange) -> UpstreamOffer { change.offer(name, from: old) }

        let nothing = try UpstreamChange()
        #expect(nothing.isEmpty)
        #expect(changed(nothing).index == old.index && changed(nothing).filter == old.filter)
        #expect(changed(nothing).freshSeconds == 30 && changed(nothing).privateAllowed)
        #expect(changed(nothing).alsoHosts == old.alsoHosts)

        let moved = changed(try UpstreamChange(index: "sparse+https://two.example", privateAllowed: false))
        #expect(moved.index.url == "https://two.example/" && !moved.privateAllowed && moved.filter == old.filter)
        let emptied = changed(try UpstreamChange(exclude: [], alsoHosts: []))
        #expect(emptied.filter == UpstreamFilter() && emptied.alsoHosts == [] && emptied.freshSeconds == 30)
        #expect(changed(try UpstreamChange(freshSeconds: 60)).freshSeconds == 60)
    }

    @Test func `what can't be is refused before anything is changed`() {
        #expect(throws: Refusal.self) { try UpstreamChange(index: "ftp://one.example/") }
        #expect(throws: Refusal.self) { try UpstreamChange(include: ["-"]) }
        #expect(throws: Refusal.self) { try UpstreamChange(exclude: ["a*b"]) }
        #expect(throws: Refusal.self) { try UpstreamChange(freshSeconds: 0) }
        #expect(throws: Refusal.self) { try UpstreamChange(alsoHosts: ["files.example:80"]) }
    }

    @Test func `the audit log says what has changed, and no more of a long list than fits`() throws {
        let old = Upstream(
            id: 1, name: Self.name, index: try #require(UpstreamIndex("https://one.example/")),
            filter: UpstreamFilter(exclude: try UpstreamOffer.patterns(["acme-*", "beta"])), freshSeconds: 30,
            privateAllowed: true, alsoHosts: try UpstreamOffer.hosts(["files.example"]), sealedCredential: [1, 2, 3])
        let name = try RepositoryName(Self.name)
        func detail(_ change: UpstreamChange) -> [String: String] {
            UpstreamDetail(from: old, to: change.offer(name, from: old)).detail
        }
        let same = ["upstream": Self.name, "index": "https://one.example/"]
        #expect(try detail(UpstreamChange()) == same)
        #expect(
            try detail(UpstreamChange(include: ["a*"], exclude: ["beta", "gamma"]))
                == same.merging([
                    "include_added": "a*", "include_removed": "*", "exclude_added": "gamma",
                    "exclude_removed": "acme_*",
                ]) { $1 })
        #expect(
            try detail(UpstreamChange(index: "https://two.example/", freshSeconds: 60, privateAllowed: false)) == [
                "upstream": Self.name, "index": "https://two.example/", "index_before": "https://one.example/",
                "fresh_seconds": "60", "fresh_seconds_before": "30", "allow_private": "false",
            ])
        let many = try detail(UpstreamChange(exclude: (1...100).map { "crate-\($0)" }, alsoHosts: []))
        #expect(many["exclude_added"]?.hasSuffix("crate_20 and 80 more") == true && many["also_hosts_removed"] != nil)

        var moved = UpstreamDetail(from: old, to: try UpstreamChange().offer(name, from: old))
        moved.add(.init(from: 2, to: 2))
        #expect(moved.detail == same)
        moved.add(.init(from: 2, to: 1))
        #expect(moved.detail == same.merging(["position": "1", "position_before": "2"]) { $1 })
        let offer = UpstreamOffer(name: name, index: old.index)
        #expect(UpstreamDetail(offer).detail == same.merging(["fresh_seconds": "60"]) { $1 })
    }

    @Test func `a change is in the audit log, edges hear of it, and it ends a pause`() async throws {
        try await UpstreamScene.with { scene in
            _ = try await scene.origin.slices.pool.execute(
                "UPDATE upstreams SET paused_until = now() + interval '1 hour', pause_cause = 'it said 429'")
            let position = try await scene.origin.slices.repositories.list().position
            let change = try UpstreamChange(exclude: ["acme-*"], freshSeconds: 3600)
            #expect(try await !Self.change(scene, change))
            let now = try await Self.listed(scene)
            #expect(now.filter.exclude.map(\.description) == ["acme_*"] && now.freshSeconds == 3600)
            #expect(now.index.url == scene.upstream.url && now.privateAllowed)
            let standing = try #require(try await scene.store.overview(of: scene.repository).first)
            #expect(standing.pausedUntil == nil && standing.pauseCause == nil)
            #expect(try await scene.origin.slices.repositories.list().position == position + 1)
            #expect(
                try await Self.details(scene) == [
                    [
                        "upstream": Self.name, "index": scene.upstream.url, "exclude_added": "acme_*",
                        "fresh_seconds": "3600", "fresh_seconds_before": "86400",
                    ]
                ])
            try scene.upstream.offer(MadeCrate("acme-core", "1.0.0"))
            #expect(try await scene.index("acme-core").status == 404)
            #expect(scene.upstream.requests == [])
        }
    }

    @Test func `a credential stays where it is, comes with a new place, and is gone without one`() async throws {
        try await UpstreamScene.with { scene in
            let nothing = try UpstreamChange()
            #expect(try await !Self.change(scene, nothing, credential: "hush-one"))
            let first = try #require(try await Self.listed(scene).sealedCredential)
            #expect(try await !Self.change(scene, UpstreamChange(index: scene.upstream.url + "below/")))
            #expect(try await Self.listed(scene).sealedCredential == first)
            let moved = try UpstreamChange(index: "http://127.0.0.2:1/")
            #expect(try await !Self.change(scene, moved, credential: "hush-two"))
            let second = try #require(try await Self.listed(scene).sealedCredential)
            #expect(second != first)
            #expect(try await Self.change(scene, UpstreamChange(index: "http://127.0.0.3:1/")))
            #expect(try await Self.listed(scene).sealedCredential == nil)
            let details = try await Self.details(scene)
            #expect(details.map { $0["credential"] } == ["set", nil, "set", "removed"])
            #expect(!"\(details)".contains("hush"))
        }
    }

    @Test func `an upstream that is not there is not made`() async throws {
        try await UpstreamScene.with { scene in
            let change = try UpstreamChange(freshSeconds: 60)
            await #expect(throws: Refusal.self) {
                try await scene.store.change(
                    RepositoryName("other"), change, in: scene.repository, by: .commandLine)
            }
            #expect(try await scene.store.list(of: scene.repository).map(\.name) == [Self.name])
        }
    }
}
