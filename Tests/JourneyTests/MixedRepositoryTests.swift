import Foundation
import TestSupport
import Testing

/// A private crate that needs crates of crates.io, built with no other source than the repository.
@Suite(
    .serialized, .enabled(if: Corpus.isHere, "needs the corpus of real crates: see LONGSHORE_CORPUS in README.md"),
    .enabled("needs nginx", { try await StaticRegistry.canRun() }))
struct MixedRepositoryTests {
    @Test func `crates of crates.io that a private one needs come through the repository alone`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let corpus = try await Corpus.unpack(into: system.folder)
            let registry = try StaticRegistry(corpus, in: system.folder)
            try await registry.serve {
                try await system.origin.command(["repository", "create", "main"])
                try await system.origin.command([
                    "upstream", "add", "main", "crates-io", registry.index, "--allow-private",
                ])
                try await MixedProject.publish(system)
                let published = try await system.edges[0].get("/main/index/qu/ay/quay")
                #expect(published.text.contains("github.com/rust-lang/crates.io-index"))
                let app = try MixedProject.makeApp(in: system.folder)
                let cargo = try RealCargo(
                    in: system.folder, configuration: MixedProject.alone(system.edges[0].index("main")))
                let refused = try await cargo.run(["build"], in: app)
                #expect(refused.status != 0 && refused.text.contains("nowhere"), "\(refused.text)")

                let set = try await system.origin.command([
                    "repository", "set", "main", "--rewrite-crates-io", "on",
                ])
                #expect(set.text.contains("inside now: 1 crate changed"), "\(set.text)")
                var line = published.text
                for _ in 0..<200 where line.contains("crates.io-index") {
                    try await Task.sleep(for: .milliseconds(50))
                    line = try await system.edges[0].get("/main/index/qu/ay/quay").text
                }
                #expect(!line.contains("crates.io-index"))

                let fresh = try RealCargo(
                    in: system.folder, configuration: MixedProject.alone(system.edges[0].index("main")))
                let built = try await fresh.run(
                    ["build"], in: app, environment: ["CARGO_TARGET_DIR": system.folder + "/target"])
                try #require(built.status == 0, "\(built.text)")
                #expect(built.text.contains("Downloaded utf8parse") && built.text.contains("Downloaded quay"))
                let ran = try await runTool(system.folder + "/target/debug/app", [])
                #expect(ran.output == "adler 300286872\n", "\(ran.text)")
                let lock = try String(contentsOfFile: app + "/Cargo.lock", encoding: .utf8)
                #expect(!lock.contains("crates.io"))
                let verified = try await system.origin.command(["verify"])
                #expect(verified.status == 0, "\(verified.text)")
            }
        }
    }
}
