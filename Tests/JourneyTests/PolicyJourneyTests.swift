import CrateFile
import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

/// Rules as teams meet them: real cargo, two edges, an origin in a process of its own.
@Suite(.serialized)
struct PolicyJourneyTests {
    /// Holds back what is under the GPL.
    static let noGPL = """
        format = 1
        ask = "#rust-policy"

        [[rule]]
        name = "no-gpl"
        decision = "block"
        reason = "we ship no copyleft"
        when.licenses = { deny = ["GPL-*"] }
        """

    private static func write(_ text: String, _ name: String, in folder: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func project(needing requirement: String, in folder: String) throws -> String {
        let project = "\(folder)/app-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        _ = try write("fn main() {}\n", "src/main.rs", in: project)
        _ = try write(
            """
            [package]
            name = "app"
            version = "0.1.0"
            edition = "2021"

            [dependencies]
            tidewater = { version = "\(requirement)", registry = "longshore" }
            """, "Cargo.toml", in: project)
        return project
    }

    private static func cargo(_ edge: LiveEdge, in folder: String) throws -> RealCargo {
        try RealCargo(in: folder, configuration: "[registries.longshore]\nindex = \"\(edge.index("main"))\"\n")
    }

    @Test func `a locked build reads why its version is blocked; without a lock it gets the newest allowed one`()
        async throws
    {
        try await LiveSystem.with { system in
            let registrar = try await Registrar(system.origin)
            for (version, license) in [("1.0.0", "MIT"), ("1.1.0", "GPL-3.0-only")] {
                let made = MadeCrate("tidewater", version).license(license)
                #expect(try await registrar.publish(made, to: system.origin.url).status == 200)
            }
            // A lock file names the registry by its address, so each edge has its own here.
            var projects: [String] = []
            for edge in system.edges {
                let project = try Self.project(needing: "1", in: system.folder)
                let before = try await Self.cargo(edge, in: system.folder).run(["fetch"], in: project)
                #expect(before.status == 0 && before.text.contains("tidewater v1.1.0"), "\(before.text)")
                projects.append(project)
            }

            let rules = try Self.write(Self.noGPL, "policy.toml", in: system.folder)
            let dry = try await system.origin.command(
                ["policy", "dry-run", "main", rules, "--lock", projects[0] + "/Cargo.lock"], status: 1)
            #expect(dry.output.contains("allow → block: 1"), "\(dry.text)")
            #expect(dry.output.contains("Cargo.lock would stop: `tidewater` 1.1.0 is blocked"), "\(dry.text)")
            let set = try await system.origin.command(["policy", "set", "main", rules])
            #expect(set.output.contains("2 versions were judged, 1 decided otherwise"), "\(set.text)")

            let sentence = "rule `no-gpl`: we ship no copyleft (licence `GPL-3.0-only` denied). Ask #rust-policy"
            for (edge, project) in zip(system.edges, projects) {
                let locked = try await Self.cargo(edge, in: system.folder).run(["fetch", "--locked"], in: project)
                #expect(locked.status != 0 && locked.text.contains(sentence), "\(locked.text)")
                let fresh = try Self.project(needing: "1", in: system.folder)
                let free = try await Self.cargo(edge, in: system.folder).run(["fetch"], in: fresh)
                #expect(free.status == 0 && free.text.contains("tidewater v1.0.0"), "\(free.text)")
            }
            let explained = try await system.origin.command(["policy", "explain", "main", "tidewater@1.1.0"])
            #expect(explained.output.contains("block by `no-gpl`: we ship no copyleft"), "\(explained.text)")
            let listed = try await system.origin.command(["policy", "list", "main", "--json"])
            #expect(listed.output.contains("\"version\" : \"1.1.0\""), "\(listed.text)")
            try await expectReach(system, registrar, lock: projects[0] + "/Cargo.lock")
            try await system.origin.command(["policy", "remove", "main"])
            let again = try await Self.cargo(system.edges[0], in: system.folder).run(
                ["fetch", "--locked"], in: projects[0])
            #expect(again.status == 0, "\(again.text)")
        }
    }

    /// Who has it already: each edge's downloads, and the build that put its lock file.
    private func expectReach(_ system: LiveSystem, _ registrar: Registrar, lock: String) async throws {
        let text = try String(contentsOfFile: lock, encoding: .utf8)
        let put = try await httpCall(
            "PUT", system.origin.url + "/api/v1/repositories/main/lock-files/team/app",
            headers: [("authorization", registrar.token)], body: ByteBuffer(string: text))
        #expect(put.status == 201, "\(put.text)")
        let reach = ["policy", "reach", "main", "tidewater@1.1.0"]
        var told = try await system.origin.command(reach)
        // The edges' logs come in behind.
        for _ in 0..<100 where !system.edges.allSatisfy({ told.output.contains(" \($0.name) ") }) {
            try await Task.sleep(for: .milliseconds(100))
            told = try await system.origin.command(reach)
        }
        #expect(told.output.hasPrefix("tidewater 1.1.0: block, by the rules number 1\n"), "\(told.text)")
        for edge in system.edges { #expect(told.output.contains(" \(edge.name) "), "\(told.text)") }
        // cargo wrote the checksum that the registry has.
        #expect(told.output.contains(#/\nteam\/app +ann .* this one\n/#), "\(told.text)")
    }

    @Test func `I6: what is blocked has left every connected edge within a second`() async throws {
        try await LiveSystem.with { system in
            let registrar = try await Registrar(system.origin)
            let made = MadeCrate("tidewater", "1.0.0").license("GPL-3.0-only")
            #expect(try await registrar.publish(made, to: system.origin.url).status == 200)
            let path = "/main/crates/tidewater/1.0.0/\(sha256(try made.crate())).crate"
            for edge in system.edges {
                try await edge.fresh()
                #expect(try await edge.get("/main/index/ti/de/tidewater").text.contains(#""yanked":false"#))
                #expect(try await edge.get(path).status == 200)
            }
            let rules = try Self.write(Self.noGPL, "policy.toml", in: system.folder)
            try await system.origin.command(["policy", "set", "main", rules])
            // The command has ended, so it is committed.
            try await Task.sleep(for: .seconds(1))
            for edge in system.edges {
                let (index, crate) = (try await edge.get("/main/index/ti/de/tidewater"), try await edge.get(path))
                #expect(crate.status == 403 && crate.text.contains("no-gpl"), "\(edge.name): \(crate.text)")
                #expect(index.text.contains(#""yanked":true"#), "\(edge.name): \(index.text)")
            }
        }
    }

    @Test(.enabled(if: Corpus.isHere, "needs the corpus of real crates: see LONGSHORE_CORPUS in README.md"))
    func `of a real lock file those versions stop in which the audit tool finds something, and no other that it saw`()
        async throws
    {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            try await system.origin.command(["repository", "create", "main"])
            try await system.origin.command(["import", "main", corpus.folder])
            try await system.origin.command(["advisories", "sync", Corpus.source + "/rustsec-osv.tar.gz"])
            let project = system.folder + "/probe"
            try FileManager.default.copyItem(atPath: corpus.probeProject, toPath: project)
            try? FileManager.default.removeItem(atPath: project + "/.cargo")
            let replacing = """
                [source.crates-io]
                replace-with = "longshore"
                [source.longshore]
                registry = "\(system.edges[0].index("main"))"
                """
            let cargo = try RealCargo(in: system.folder, configuration: replacing)
            let resolved = try await cargo.run(["generate-lockfile"], in: project)
            try #require(resolved.status == 0, "\(resolved.text)")

            let lock = try CargoLock(parsing: String(contentsOfFile: project + "/Cargo.lock", encoding: .utf8))
            let locked = Set(lock.packages.map { "\($0.name.spelling)@\($0.version)" })
            let oracle = try await runTool("gzip", ["-dc", Corpus.source + "/audit-oracle.tsv.gz"])
            // It was asked about some of them.
            let asked = oracle.output.split(separator: "\n").map { $0.split(separator: "\t") }
                .filter { locked.contains("\($0[0])@\($0[1])") }
            let found = asked.filter { $0[2] != "-" }
            try #require(found.count >= 3 && asked.count > found.count)

            let rules = try Self.write(
                """
                format = 1
                ask = "us"
                [[rule]]
                name = "advisories"
                decision = "block"
                reason = "an advisory speaks of it"
                when.advisory = ["vulnerability", "unmaintained", "unsound", "notice"]
                """, "policy.toml", in: system.folder)
            let dry = try await system.origin.command(
                ["policy", "dry-run", "main", rules, "--lock", project + "/Cargo.lock"], status: 1)
            let stops = dry.output.split(separator: "\n").filter { $0.contains("would stop") }
            for row in asked where row[2] == "-" {
                #expect(!stops.contains { $0.contains("`\(row[0])` \(row[1]) is blocked") }, "\(row)")
            }
            for row in found {
                #expect(
                    stops.contains { $0.contains("`\(row[0])` \(row[1]) is blocked") && $0.contains(row[2]) },
                    "\(row)")
            }
            try await system.origin.command(["policy", "set", "main", rules])
            let built = try await cargo.run(["fetch", "--locked"], in: project)
            #expect(built.status != 0 && built.text.contains("rule `advisories`"), "\(built.text)")
        }
    }
}
