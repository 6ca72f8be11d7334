import Crypto
import Facts
import PolicyRules
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Rules about versions that come from an upstream: what their lines don't tell, and yanks that may be an attack.
struct PolicyUpstreamTests {
    private static func with(
        _ body: @Sendable @escaping (PolicyScene, ScriptedUpstream, Repository) async throws -> Void
    ) async throws {
        try await ScriptedUpstream.with { upstream in
            try await PolicyScene.with { scene in
                let slices = scene.origin.slices
                let index = try #require(UpstreamIndex("sparse+" + upstream.url))
                try await slices.upstreams.add(
                    .init(name: RepositoryName("up"), index: index, freshSeconds: 86_400, privateAllowed: true),
                    to: scene.repository, by: .commandLine)
                try await body(scene, upstream, slices.repositories.require(scene.repository.name))
            }
        }
    }

    private static func refresh(_ name: String, _ scene: PolicyScene, _ repository: Repository) async throws {
        let slices = scene.origin.slices
        for upstream in try await slices.upstreams.list(of: repository) {
            try await slices.upstreamDesk.refresh(CrateName(name), at: upstream.id, in: repository)
        }
    }

    @Test func `a licence that only the file tells is judged when the file comes, before anybody has it`() async throws
    {
        try await Self.with { scene, upstream, _ in
            try await scene.set(PolicyScene.noGPL)
            try upstream.offer(MadeCrate("foo", "1.0.0").license("MIT"))
            try upstream.offer(MadeCrate("foo", "1.1.0").license("GPL-3.0-only"))
            #expect(try await scene.yanks("foo") == ["1.0.0": false, "1.1.0": false])
            let waiting = try await scene.explain("foo", "1.1.0")
            #expect(waiting.decision == .block && waiting.awaitsFile && waiting.refusal == nil)
            let rules = try PolicyFile(
                parsing: PolicyScene.rules(PolicyScene.noGPL.replacing("no-gpl", with: "other-name")))
            let run = try await scene.origin.slices.policies.dryRun(rules, in: scene.repository, locks: [:])
            #expect(run.changes.count == 2 && run.changes.allSatisfy(\.awaitsFile) && run.awaiting == 2)
            #expect(try await scene.download("foo", "1.0.0").status == 200)
            let refused = try await scene.download("foo", "1.1.0")
            #expect(refused.status == 403 && refused.text.contains("`GPL-3.0-only`"), "\(refused.text)")
            #expect(try await scene.yanks("foo") == ["1.0.0": false, "1.1.0": true])
            #expect(try await scene.explain("foo", "1.0.0").decision == .allow)
            // The log tells what was only expected from what is refused.
            let lines = try await scene.audit().filter { $0.version == "1.1.0" }.map(\.detail)
            #expect(lines.map { $0["decision"] } == ["block", "block"], "\(lines)")
            #expect(lines.map { $0["awaits"] } == ["file", nil], "\(lines)")
        }
    }

    @Test func `a file that nobody can read is refused by rules that ask what it tells`() async throws {
        try await Self.with { scene, upstream, _ in
            try await scene.set(PolicyScene.noGPL)
            let made = MadeCrate("foo", "1.0.0").manifest("this is no manifest")
            let checksum = try #require(Checksum(bytes: SHA256.hash(data: try made.crate())))
            let line = IndexLine(
                name: try CrateName("foo"), version: try Version("1.0.0"), dependencies: [], checksum: checksum)
            try upstream.offer(made, line: line.json)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            let refused = try await scene.download("foo", "1.0.0")
            #expect(refused.status == 403 && refused.text.contains("its licence is not known yet"), "\(refused.text)")
            #expect(try await scene.yanks("foo") == ["1.0.0": true])
        }
    }

    @Test func `what is withheld keeps every byte of its line but the yank, also when the upstream changes it`()
        async throws
    {
        try await Self.with { scene, upstream, repository in
            try await scene.set(
                """
                [[rule]]
                name = "names"
                decision = "block"
                reason = "not these"
                for.crates = ["foo"]
                """)
            let made = MadeCrate("foo", "1.0.0")
            let plain = String(try ImportScene.line(of: made, made.crate()).json.dropLast())
            try upstream.offer(made, line: plain + #", "new" : {"yanked":false}}"#)
            let withheld = plain.replacing(#""yanked":false"#, with: #""yanked":true"#)
            #expect(try await scene.index("foo") == withheld + #", "new" : {"yanked":false}}"# + "\n")
            upstream.set { $0.index["3/f/foo"] = Array((plain + #", "newer":1}"# + "\n").utf8) }
            try await Self.refresh("foo", scene, repository)
            #expect(try await scene.index("foo") == withheld + #", "newer":1}"# + "\n")
            try await scene.set(nil)
            #expect(try await scene.index("foo") == plain + #", "newer":1}"# + "\n")
        }
    }

    @Test func `an upstream's yank is not followed while it is young, and then it is`() async throws {
        try await Self.with { scene, upstream, repository in
            try await scene.set("", head: "yank-cooldown = \"2d\"")
            let made = MadeCrate("foo", "1.0.0")
            try upstream.offer(made)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            let yanked = try ImportScene.line(of: made, made.crate()).with(yanked: true).json
            upstream.set { $0.index["3/f/foo"] = Array((yanked + "\n").utf8) }
            try await Self.refresh("foo", scene, repository)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            let standing = try await scene.explain("foo", "1.0.0")
            #expect(standing.holdsYank && standing.decision == .allow && standing.againAt != nil)
            for table in ["facts SET yanked_at = yanked_at", "decisions SET again_at = again_at"] {
                try await scene.origin.slices.pool.withTransaction {
                    try await $0.run(script: "UPDATE \(table) - interval '2 days'")
                }
            }
            try await scene.eventually("the yank is followed") { try await scene.yanks("foo") == ["1.0.0": true] }
            #expect(try await scene.download("foo", "1.0.0").status == 200)
        }
    }

    private static let partnerIsBlocked = """
        [[rule]]
        name = "not-theirs"
        decision = "block"
        reason = "we do not trust them"
        for.sources = ["partner"]
        """

    @Test(arguments: [false, true])
    func `what another upstream takes over has its name, and is judged by it`(hasNews: Bool) async throws {
        try await Self.with { scene, upstream, repository in
            let slices = scene.origin.slices
            try await scene.set(Self.partnerIsBlocked)
            try upstream.offer(MadeCrate("foo", "1.0.0"))
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            try await slices.upstreams.remove(RepositoryName("up"), from: repository, by: .commandLine)
            #expect(try await Self.source("1.0.0", scene) == "up")

            if hasNews { try upstream.offer(MadeCrate("foo", "1.1.0")) }
            let index = try #require(UpstreamIndex(upstream.url))
            let partner = UpstreamOffer(
                name: try RepositoryName("partner"), index: index, freshSeconds: 86_400, privateAllowed: true)
            try await slices.upstreams.add(partner, to: repository, by: .commandLine)
            let all = hasNews ? ["1.0.0": true, "1.1.0": true] : ["1.0.0": true]
            #expect(try await scene.yanks("foo") == all)
            for version in all.keys { #expect(try await Self.source(version, scene) == "partner") }
            #expect(try await scene.explain("foo", "1.0.0").decision == .block)
            let told = try await scene.audit().filter { $0.action == "policy.decide" && $0.version == "1.0.0" }
            #expect(told.map(\.rule) == ["not-theirs"])
            #expect(try await scene.download("foo", "1.0.0").status == 403)
        }
    }

    @Test func `what takes over because the order has changed is judged in the transaction that writes it`()
        async throws
    {
        try await Self.with { scene, upstream, repository in
            let slices = scene.origin.slices
            try await scene.set(Self.partnerIsBlocked)
            try upstream.offer(MadeCrate("foo", "1.0.0"))
            let partner = UpstreamOffer(
                name: try RepositoryName("partner"), index: try #require(UpstreamIndex(upstream.url)),
                freshSeconds: 86_400, privateAllowed: true)
            try await slices.upstreams.add(partner, to: repository, by: .commandLine)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            _ = try await slices.upstreams.change(
                RepositoryName("partner"), UpstreamChange(position: 1), in: repository, by: .commandLine)
            #expect(try await Self.source("1.0.0", scene) == "up")
            // Served as withheld the first time that it is the partner's.
            #expect(try await scene.yanks("foo") == ["1.0.0": true])
            #expect(try await Self.source("1.0.0", scene) == "partner")
            let told = try await scene.audit().filter { $0.action == "policy.decide" && $0.version == "1.0.0" }
            #expect(told.map(\.rule) == ["not-theirs"])
            _ = try await slices.upstreams.change(
                RepositoryName("up"), UpstreamChange(position: 1), in: repository, by: .commandLine)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
        }
    }

    private static func source(_ version: String, _ scene: PolicyScene) async throws -> String? {
        try await scene.origin.slices.facts.facts(
            of: Version(version), CrateName("foo"), in: scene.repository.name)?.origin.upstream
    }
}
