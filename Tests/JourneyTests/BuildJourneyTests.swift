import Foundation
import TestSupport
import Testing

/// The main job: real crates, a real application, real cargo, two edges.
@Suite(.serialized, .enabled(if: Corpus.isHere, "needs the corpus of real crates: see LONGSHORE_CORPUS in README.md"))
struct BuildJourneyTests {
    /// `crates.io` is replaced by one edge; the lock file keeps the canonical address.
    private func mirror(_ edge: LiveEdge) -> String {
        """
        [source.crates-io]
        replace-with = "longshore"
        [source.longshore]
        registry = "\(edge.index("main"))"
        """
    }

    /// Without the project's own cargo configuration, which names another registry.
    private func copyProbe(of corpus: Corpus, to project: String) throws {
        try FileManager.default.copyItem(atPath: corpus.probeProject, toPath: project)
        try? FileManager.default.removeItem(atPath: project + "/.cargo")
    }

    @Test(arguments: OtherCargos.all)
    func `a real application builds through either edge, with one lock file`(cargo program: String) async throws {
        try await LiveSystem.with { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            try await system.origin.command(["repository", "create", "main"])
            let said = try await system.origin.command(["import", "main", corpus.folder])
            #expect(said.text.contains("151"))

            var locks: [String] = []
            for edge in system.edges {
                let project = "\(system.folder)/probe-\(edge.name)"
                try copyProbe(of: corpus, to: project)
                let cargo = try RealCargo(in: system.folder, configuration: mirror(edge), program: program)
                let build = try await cargo.run(
                    ["build"], in: project, environment: ["CARGO_TARGET_DIR": system.folder + "/target"], seconds: 900)
                try #require(build.status == 0, "\(build.text)")
                #expect(build.text.contains("Downloaded"))
                let run = try await runTool(system.folder + "/target/debug/corpus-probe", [])
                #expect(run.status == 0, "\(run.text)")
                locks.append(try String(contentsOfFile: project + "/Cargo.lock", encoding: .utf8))
            }
            #expect(locks[0] == locks[1])
            #expect(locks[0].contains("name = \"tokio\""))
            #expect(!locks[0].contains("127.0.0.1"))
        }
    }

    @Test func `with the origin stopped, an empty home builds through a warm edge`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            try await system.origin.command(["repository", "create", "main"])
            try await system.origin.command(["import", "main", corpus.folder])
            let edge = system.edges[0]
            let project = "\(system.folder)/probe"
            try copyProbe(of: corpus, to: project)
            let warming = try RealCargo(in: system.folder, configuration: mirror(edge))
            let fetched = try await warming.run(["fetch"], in: project)
            try #require(fetched.status == 0, "\(fetched.text)")

            await system.origin.stop()
            try FileManager.default.removeItem(atPath: project + "/Cargo.lock")
            let empty = try RealCargo(in: system.folder, configuration: mirror(edge))
            let again = try await empty.run(["fetch"], in: project)
            #expect(again.status == 0, "\(again.text)")
            #expect(!again.text.contains("warning: spurious network error"))
            // What the edge does not hold is 503, never 404: cargo keeps its own copy (I11).
            let unknown = try await edge.get("/main/index/no/ne/nonesuch")
            #expect(unknown.status == 503)
            #expect(unknown.header("retry-after") != nil)
        }
    }
}

/// Other releases of cargo, named in `LONGSHORE_OTHER_CARGOS` (paths, separated by `:`), beside the one on PATH.
enum OtherCargos {
    static var all: [String] {
        let named = ProcessInfo.processInfo.environment["LONGSHORE_OTHER_CARGOS"] ?? ""
        return ["cargo"] + named.split(separator: ":").map(String.init)
    }
}
