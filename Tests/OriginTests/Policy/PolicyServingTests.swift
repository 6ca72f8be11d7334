import CrateFile
import Facts
import Foundation
import HTTPTypes
import PolicyRules
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Rules, and what is served of the versions that they are about.
struct PolicyServingTests {
    @Test func `a version is judged as it is published, and what is blocked is yanked and refused`() async throws {
        try await PolicyScene.with { scene in
            #expect(try await scene.set(PolicyScene.noGPL) == 1)
            try await scene.publish(MadeCrate("foo", "1.0.0").license("MIT OR GPL-3.0-only"))
            try await scene.publish(MadeCrate("foo", "1.1.0").license("GPL-3.0-only"))
            #expect(try await scene.yanks("foo") == ["1.0.0": false, "1.1.0": true])
            #expect(try await scene.download("foo", "1.0.0").status == 200)
            let refused = try await scene.download("foo", "1.1.0")
            #expect(refused.status == 403)
            #expect(
                refused.text
                    == "`foo` 1.1.0 is blocked by the policy of repository `main`, rule `no-gpl`: we ship no copyleft "
                    + "(licence `GPL-3.0-only` denied). Ask #rust-policy\n")
            let found = try await scene.origin.call("GET", "/main/api/v1/crates?q=foo")
            #expect(found.text.contains(#""max_version":"1.0.0""#), "\(found.text)")
            let line = try #require(try await scene.audit().last)
            #expect(line.action == "policy.decide" && line.rule == "no-gpl" && line.version == "1.1.0")
            #expect(line.detail["decision"] == "block" && line.detail["was"] == "allow")
        }
    }

    @Test func `new rules judge what is there, and without rules everything is as it was, byte for byte`() async throws
    {
        try await PolicyScene.with { scene in
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            try await scene.publish(MadeCrate("bar", "1.0.0").license("MIT"))
            let before = try await (scene.index("foo"), scene.index("bar"))
            try await scene.set(PolicyScene.noGPL)
            #expect(try await scene.yanks("foo") == ["1.0.0": true])
            #expect(try await scene.index("bar") == before.1)
            #expect(try await scene.download("foo", "1.0.0").status == 403)
            #expect(try await scene.set(nil) == 2)
            #expect(try await scene.index("foo") == before.0)
            #expect(try await scene.download("foo", "1.0.0").status == 200)
            let decisions = try await scene.audit().map {
                "\($0.action) \($0.rule ?? "-") \($0.detail["decision"] ?? "-")"
            }
            #expect(
                decisions == [
                    "policy.set - -", "policy.decide no-gpl block", "policy.remove - -", "policy.decide no-gpl allow",
                ])
            let policies = scene.origin.slices.policies
            let history = try await policies.history(of: scene.repository)
            #expect(history.map(\.number) == [2, 1] && history.map(\.hasRules) == [false, true])
            #expect(history.map(\.isApplied) == [true, true])
            #expect(try await policies.text(of: scene.repository, number: nil) == nil)
            #expect(
                try await policies.text(of: scene.repository, number: 1) == PolicyScene.rules(PolicyScene.noGPL))
        }
    }

    @Test func `an owner's yank and the rules do not get into each other's way`() async throws {
        try await PolicyScene.with { scene in
            try await scene.set(PolicyScene.noGPL)
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            let yank = "/main/api/v1/crates/foo/1.0.0/"
            // The version is served as yanked; for its owner it is not yet.
            for (method, path) in [("DELETE", "yank"), ("PUT", "unyank"), ("DELETE", "yank")] {
                let answer = try await scene.origin.call(method, yank + path, as: .token(scene.token))
                #expect(answer.status == 200)
                #expect(try await scene.yanks("foo") == ["1.0.0": true])
            }
            try await scene.set(nil)
            #expect(try await scene.yanks("foo") == ["1.0.0": true])
            _ = try await scene.origin.call("PUT", yank + "unyank", as: .token(scene.token))
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
        }
    }

    @Test func `a quarantined version is held until its time comes`() async throws {
        try await PolicyScene.with { scene in
            try await scene.set(PolicyScene.cooldown())
            try await scene.publish(MadeCrate("foo", "1.0.0"))
            #expect(try await scene.explain("foo", "1.0.0").decision == .quarantine)
            #expect(try await scene.download("foo", "1.0.0").text.contains("is held back"))
            // As if it had been published four days ago.
            for table in ["facts SET published_at = published_at", "decisions SET again_at = again_at"] {
                try await scene.origin.slices.pool.withTransaction {
                    try await $0.run(script: "UPDATE \(table) - interval '4 days'")
                }
            }
            try await scene.eventually("the clock lets it go") {
                try await scene.yanks("foo") == ["1.0.0": false]
            }
            #expect(try await scene.download("foo", "1.0.0").status == 200)
        }
    }

    @Test func `somebody lets a quarantined version go, and only that; a blocked one stays`() async throws {
        try await PolicyScene.with { scene in
            try await scene.set(PolicyScene.noGPL + "\n" + PolicyScene.cooldown())
            try await scene.publish(MadeCrate("foo", "1.0.0").license("MIT"))
            try await scene.publish(MadeCrate("foo", "1.1.0").license("MIT"))
            try await scene.publish(MadeCrate("bar", "1.0.0").license("GPL-3.0-only"))
            let policies = scene.origin.slices.policies
            let (standing, position) = try await policies.release(
                .init(CrateName("foo"), Version("1.0.0")), in: scene.repository, reason: "read it", by: .commandLine)
            #expect(standing.decision == .allow && standing.excepted == ["cooldown"] && position != nil)
            #expect(try await scene.yanks("foo") == ["1.0.0": false, "1.1.0": true])
            #expect(try await scene.download("foo", "1.0.0").status == 200)
            let waivers = try await policies.explain(
                .init(CrateName("foo"), Version("1.0.0")), in: scene.repository
            ).waivers
            #expect(
                waivers.map { "\($0.kind) \($0.rule) \($0.by) \($0.reason)" } == [
                    "release cooldown command line read it"
                ])
            for (name, version, status, words) in [
                ("foo", "1.0.0", 409, "is not quarantined: allow"), ("bar", "1.0.0", 409, "write an exception"),
                ("foo", "9.0.0", 404, "has no `foo` 9.0.0"),
            ] {
                let refusal = await #expect(throws: Refusal.self) {
                    _ = try await policies.release(
                        .init(CrateName(name), Version(version)), in: scene.repository, reason: "no", by: .commandLine)
                }
                #expect(refusal?.status.code == status && refusal?.detail.contains(words) == true, "\(refusal as Any)")
            }
            // New rules of the same name know of the release.
            try await scene.set(PolicyScene.cooldown("4d"))
            #expect(try await scene.yanks("foo") == ["1.0.0": false, "1.1.0": true])
            #expect(try await scene.audit().contains { $0.action == "policy.release" && $0.rule == "cooldown" })
        }
    }

    @Test func `an explanation says whose exception it is, why, and until when`() async throws {
        let exception = """
            [[exception]]
            crate = "foo"
            versions = "%"
            rules = ["no-gpl"]
            reason = "bought it"
            owner = "alice"
            expires = 2999-01-01
            """
        try await PolicyScene.with { scene in
            let other = exception.replacing("%", with: ">=2").replacing("alice", with: "bob")
            try await scene.set(
                [PolicyScene.noGPL, exception.replacing("%", with: "<2"), other].joined(separator: "\n"))
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            let found = try await scene.origin.slices.policies.explain(
                .init(CrateName("foo"), Version("1.0.0")), in: scene.repository)
            #expect(found.standing.decision == .allow)
            #expect(
                found.waivers == [
                    .init(
                        rule: "no-gpl", kind: .exception, by: "alice", reason: "bought it", time: "2999-01-01T00:00:00Z"
                    )
                ])
        }
    }

    @Test func `an advisory blocks versions that are there`() async throws {
        try await PolicyScene.with { scene in
            try await scene.set(
                """
                [[rule]]
                name = "holes"
                decision = "block"
                reason = "it has a known hole"
                when.advisory = ["vulnerability"]
                """)
            try await scene.publish(MadeCrate("foo", "1.0.0"))
            try await scene.publish(MadeCrate("foo", "1.2.0"))
            var database = AdvisoryDatabase()
            try database.add(Array(Self.advisory.utf8), path: "RUSTSEC-2026-0001.json", form: .osv)
            #expect(database.problems == [])
            _ = try await scene.origin.slices.advisorySync.sync(database, by: .advisories)
            #expect(try await scene.yanks("foo") == ["1.0.0": true, "1.2.0": false])
            #expect(try await scene.download("foo", "1.0.0").text.contains("RUSTSEC-2026-0001"))
            #expect(try await scene.download("foo", "1.2.0").status == 200)
        }
    }

    private static let advisory = """
        {"id": "RUSTSEC-2026-0001", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
         "summary": "A hole", "details": "", "affected": [{"package": {"ecosystem": "crates.io", "name": "foo"},
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "1.1.0"}]}],
         "database_specific": {"categories": [], "informational": null}}]}
        """

    @Test func `whatever is published while rules are set is judged by them in the end`() async throws {
        try await PolicyScene.with { scene in
            try await withThrowingTaskGroup { group in
                for crate in 0..<6 {
                    group.addTask {
                        for version in 0..<6 {
                            let license = version.isMultiple(of: 2) ? "MIT" : "GPL-3.0-only"
                            try await scene.publish(MadeCrate("crate\(crate)", "1.\(version).0").license(license))
                        }
                    }
                }
                group.addTask {
                    for rules in [PolicyScene.noGPL, nil, PolicyScene.noGPL] {
                        try await Task.sleep(for: .milliseconds(100))
                        try await scene.set(rules)
                    }
                }
                try await group.waitForAll()
            }
            for crate in 0..<6 {
                let yanks = try await scene.yanks("crate\(crate)")
                #expect(
                    yanks.count == 6 && yanks.allSatisfy { $0.value == "135".contains($0.key.dropFirst(2).prefix(1)) })
            }
        }
    }

    @Test func `a dry run tells what would change, and whose lock files would stop`() async throws {
        try await PolicyScene.with { scene in
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            try await scene.publish(MadeCrate("bar", "1.0.0").license("MIT"))
            let file = try PolicyFile(parsing: PolicyScene.rules(PolicyScene.noGPL))
            let lock = { (name: String) in
                try CargoLock(
                    parsing: """
                        version = 4
                        [[package]]
                        name = "app"
                        version = "0.1.0"
                        [[package]]
                        name = "\(name)"
                        version = "1.0.0"
                        source = "registry+https://github.com/rust-lang/crates.io-index"
                        """)
            }
            let locks = ["a": try lock("foo"), "b": try lock("bar")]
            let run = try await scene.origin.slices.policies.dryRun(file, in: scene.repository, locks: locks)
            #expect(run.versions == 2 && run.counts == ["allow → block": 1])
            #expect(run.changes.map(\.crate) == ["foo"] && run.changes.map(\.rule) == ["no-gpl"])
            #expect(run.stops.map(\.lock) == ["a"] && run.stops.first?.isRefusedNow == false)
            #expect(try await scene.yanks("foo") == ["1.0.0": false])
            try await scene.set(PolicyScene.noGPL)
            let again = try await scene.origin.slices.policies.dryRun(file, in: scene.repository, locks: locks)
            #expect(again.counts == [:] && again.stops.first?.isRefusedNow == true)
        }
    }
}
