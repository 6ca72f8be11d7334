import Foundation
import NIOCore
import PolicyRules
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// Who has a version that is blocked now: from the store, and through the program as an operator calls it.
struct ReachTests {
    private typealias Locked = LockFileScene.Locked

    private func put(_ scene: PolicyScene, _ name: String, _ packages: Locked...) async throws {
        let file = try LockFile(parsing: LockFileScene.text(packages))
        _ = try await scene.origin.slices.lockFiles.put(
            file, as: LockFileName(name), in: scene.repository, by: .commandLine)
    }

    private func checksum(_ made: MadeCrate) throws -> String {
        try #require(SliceOrigin.checksum(of: made.crate())).description
    }

    private func holders(_ scene: PolicyScene, _ name: String) async throws -> [String] {
        try await scene.origin.slices.lockFiles.holders(
            of: CrateName(name), Version("1.0.0+other.build"), in: scene.repository
        ).map { "\($0.name) \($0.file.rawValue)" }
    }

    @Test func `a lock file holds a version by its checksum, whatever it is called there, and after it is gone`()
        async throws
    {
        try await PolicyScene.with { scene in
            let made = MadeCrate("foo-bar", "1.0.0")
            try await scene.publish(made)
            try await put(scene, "app", Locked("foo-bar", checksum: try checksum(made)))
            try await put(scene, "old", Locked("Foo_Bar"))
            try await put(scene, "public", Locked("foo-bar", checksum: String(repeating: "ab", count: 32)))
            try await put(scene, "later", Locked("foo-bar", "1.0.1", checksum: try checksum(made)))
            let elsewhere = try await scene.origin.repository("other")
            _ = try await scene.origin.slices.lockFiles.put(
                LockFileScene.file(.init("foo-bar")), as: LockFileName("app"), in: elsewhere, by: .commandLine)

            let want = ["app same", "old unknown", "public another"]
            #expect(try await holders(scene, "foo_bar") == want)
            #expect(try await holders(scene, "foo").isEmpty)
            _ = try await scene.origin.slices.pool.execute("DELETE FROM versions")
            #expect(try await holders(scene, "foo_bar") == want)
        }
    }

    @Test func `a dry run asks the stored lock files, and passes over those that mean another file`() async throws {
        try await PolicyScene.with { scene in
            let made = MadeCrate("foo", "1.0.0").license("GPL-3.0-only")
            try await scene.publish(made)
            try await scene.publish(MadeCrate("bar", "1.0.0").license("MIT"))
            try await put(scene, "team/app", Locked("foo", checksum: try checksum(made)), Locked("bar"))
            try await put(scene, "team/tool", Locked("bar"))
            try await put(scene, "public", Locked("foo", checksum: String(repeating: "ab", count: 32)))
            let file = try PolicyFile(parsing: PolicyScene.rules(PolicyScene.noGPL))
            let (policies, stored) = (scene.origin.slices.policies, scene.origin.slices.lockFiles)
            let run = try await policies.dryRun(file, in: scene.repository, locks: [:], stored: stored)
            #expect(run.stops.map(\.lock) == ["team/app"] && run.stops.allSatisfy { $0.isStored && !$0.isRefusedNow })
            #expect(run.stops.first?.refusal.contains("rule `no-gpl`") == true)
            #expect(try await policies.dryRun(file, in: scene.repository, locks: [:]).stops.isEmpty)
        }
    }

    /// The program, on the origin's database.
    private func run(_ scene: PolicyScene, _ arguments: String...) async throws -> ToolResult {
        try await runTool(
            Program.origin.path,
            arguments + ["--database-url", scene.origin.databaseURL, "--data", scene.origin.dataFolder])
    }

    private func write(_ text: String, _ name: String, _ scene: PolicyScene) throws -> String {
        let path = "\(scene.origin.dataFolder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// What an edge tells of a download.
    private func pull(_ scene: PolicyScene, by token: Int64, through edge: String) async throws {
        let batch = """
            {"spool":"\(String(repeating: "a", count: 32))","number":1,"reads":[],"pulls":[{"at":\(Int(Date.now.timeIntervalSince1970)),
             "repository":"main","crate":"foo","version":"1.0.0","subject":"\(token)","bytes":1000,"cache":"HIT"}]}
            """
        let caller = TestOrigin.Caller.edge(try await scene.origin.edge(edge))
        let taken = try await scene.origin.call("POST", "/edge/v1/access", as: caller, json: batch)
        #expect(taken.status == 200, "\(taken.text)")
    }

    private struct Reach: Decodable {
        struct Standing: Decodable {
            let decision: String
            let rule: String?
        }
        struct Build: Decodable {
            let token: Int64?
            let login: String?
            let edge: String?
            let count: Int
        }
        struct Holder: Decodable {
            let name: String
            let file: String
        }
        let standing: Standing?
        let builds: [Build]
        let lockFiles: [Holder]

        private enum CodingKeys: String, CodingKey {
            case standing, builds
            case lockFiles = "lock_files"
        }
    }

    @Test func `one command says of a blocked version who fetched it, where and when, and which lock files hold it`()
        async throws
    {
        try await PolicyScene.with { scene in
            let made = MadeCrate("foo", "1.0.0").license("GPL-3.0-only")
            try await scene.publish(made)
            let ci = try await scene.origin.made("ci", [.read], in: ["main"])
            #expect(try await scene.download("foo", "1.0.0").status == 200)
            try await pull(scene, by: ci.record.id, through: "eu")
            let caller = TestOrigin.Caller.token(ci.secret.text)
            let locked = Locked("foo", checksum: try checksum(made))
            #expect(try await scene.origin.putLockFile("team/app", as: caller, locked).status == 201)
            try await scene.set(PolicyScene.noGPL)

            let told = try await run(scene, "policy", "reach", "main", "foo@1.0.0")
            #expect(told.status == 0, "\(told.text)")
            for line in [
                #/foo 1\.0\.0: block, by the rules number 1/#,
                #/block by `no-gpl`: we ship no copyleft \(licence `GPL-3\.0-only` denied\)/#,
                #/\nci +\d+ \(test\) +eu +- +1 +20\d\d-\S+Z +20\d\d-\S+Z\n/#,
                #/\n\(anonymous\) +- +\(origin\) +127\.0\.0\.1 +1 +20\d\d-\S+Z +20\d\d-\S+Z\n/#,
                #/\nteam\/app +ci +ci \(token \d+\) +20\d\d-\S+Z +this one\n/#,
            ] {
                #expect(try line.firstMatch(in: told.output) != nil, "\(told.text)")
            }
            let json = try await run(scene, "policy", "reach", "main", "foo@1.0.0", "--json")
            let reach = try JSONDecoder().decode(Reach.self, from: Data(json.output.utf8))
            #expect(reach.standing?.decision == "block" && reach.standing?.rule == "no-gpl")
            #expect(Set(reach.builds.map(\.edge)) == ["eu", nil] && reach.builds.allSatisfy { $0.count == 1 })
            #expect(reach.builds.contains { $0.login == "ci" && $0.token == ci.record.id })
            #expect(reach.lockFiles.map(\.name) == ["team/app"] && reach.lockFiles.first?.file == "same")

            // A version that is gone is still told of; one that nobody knows is an error.
            _ = try await scene.origin.slices.pool.execute("DELETE FROM versions")
            let gone = try await run(scene, "policy", "reach", "main", "foo@1.0.0")
            #expect(gone.status == 0 && gone.output.contains("does not have it"), "\(gone.text)")
            #expect(gone.output.contains("team/app"))
            let unknown = try await run(scene, "policy", "reach", "main", "foo@2.0.0")
            #expect(unknown.status != 0 && unknown.errors.contains("has no `foo` 2.0.0"), "\(unknown.text)")
        }
    }

    @Test func `lock files are put, listed, shown and removed by command, and a dry run names those that stop`()
        async throws
    {
        try await PolicyScene.with { scene in
            try await scene.publish(MadeCrate("foo", "1.0.0").license("GPL-3.0-only"))
            let text = LockFileScene.text([Locked("foo")])
            let lock = try write(text, "Cargo.lock", scene)
            let rules = try write(PolicyScene.rules(PolicyScene.noGPL), "policy.toml", scene)
            let none = try await run(scene, "policy", "dry-run", "main", rules, "--stored-locks")
            #expect(
                none.status == 0 && none.output.contains("no build of these 0 lock files would stop"), "\(none.text)")

            let put = try await run(scene, "lock-file", "put", "main", "team/app", lock)
            #expect(put.status == 0 && put.output == "team/app added: 1 versions from registries\n", "\(put.text)")
            let list = try await run(scene, "lock-file", "list", "main")
            #expect(
                list.output.contains(#/\nteam/app +command line +command line +20\S+Z +20\S+Z +1\n/#), "\(list.text)")
            #expect(try await run(scene, "lock-file", "show", "main", "team/app").output == text)
            let dry = try await run(scene, "policy", "dry-run", "main", rules, "--stored-locks")
            #expect(dry.status == 1, "\(dry.text)")
            #expect(dry.output.contains("team/app (stored) would stop: `foo` 1.0.0 is blocked"), "\(dry.text)")

            let bad = try await run(scene, "lock-file", "put", "main", "team/app", rules)
            #expect(bad.status != 0 && bad.errors.contains("holds no `[[package]]`"), "\(bad.text)")
            let removed = try await run(scene, "lock-file", "remove", "main", "team/app")
            #expect(removed.status == 0 && removed.output == "team/app removed\n", "\(removed.text)")
            let again = try await run(scene, "lock-file", "remove", "main", "team/app")
            #expect(again.status != 0 && again.errors.contains("has no lock file `team/app`"), "\(again.text)")
        }
    }
}
