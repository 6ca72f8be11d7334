import Foundation
import TestSupport
import Testing

/// From an origin that reaches crates.io (nginx stands in for it) to one that reaches nothing, in a folder.
@Suite(
    .serialized, .enabled(if: Corpus.isHere, "needs the corpus of real crates: see LONGSHORE_CORPUS in README.md"),
    .enabled("needs nginx", { try await StaticRegistry.canRun() }))
struct AirGapTests {
    @Test func `what a lock file names crosses in a folder, and builds there from an origin and from plain nginx`()
        async throws
    {
        try await LiveSystem.with(edges: ["eu"]) { outside in
            let corpus = try await Corpus.unpack(into: outside.folder)
            let registry = try StaticRegistry(corpus, in: outside.folder)
            let folder = outside.folder + "/carried"
            let app = try MixedProject.makeApp(in: outside.folder)
            try await registry.serve {
                let origin = outside.origin
                try await origin.command(["repository", "create", "main", "--rewrite-crates-io", "on"])
                try await origin.command(["upstream", "add", "main", "crates-io", registry.index, "--allow-private"])
                try await MixedProject.publish(outside)
                try await lock(app, outside)
                let mirrored = try await origin.command(["mirror", "main", "--lock", app + "/Cargo.lock"])
                #expect(mirrored.output.contains("mirrored 4 versions of 4 crates"), "\(mirrored.text)")
                #expect(mirrored.output.contains(" 3 fetched ") && mirrored.output.contains(" 1 of our own; 0 missing"))
                let known = try await origin.command(
                    ["mirror", "main", "--pattern", "adler", "--pattern", "quay", "--all-versions"])
                #expect(known.output.contains("0 fetched") && known.output.contains("0 missing"), "\(known.text)")
                // Nobody has it: named, and the exit code tells.
                try Data("none-such@1.0.0\n".utf8).write(to: URL(fileURLWithPath: outside.folder + "/list"))
                let none = try await origin.command(
                    ["mirror", "main", "--list", outside.folder + "/list"], status: 1)
                #expect(none.text.contains("missing none-such (crate)") && none.output.contains("1 missing"))
                await registry.stop()

                let exported = try await origin.command(["export", "main", folder])
                #expect(exported.output.contains("exported 4 versions of 4 crates"), "\(exported.text)")
                let again = try await origin.command(["export", "main", folder])
                #expect(again.output.contains(" 0 written (0 B), 4 were there already"), "\(again.text)")
            }
            try await LiveSystem.with(edges: []) { inside in
                try await inside.origin.command(["repository", "create", "main"])
                let imported = try await inside.origin.command(["import", "main", folder])
                #expect(imported.output.contains("imported 4 versions of 4 crates"), "\(imported.text)")
                for path in ["qu/ay/quay", "ad/le/adler", "an/st/anstyle-parse"] {
                    let there = try await httpGet("\(inside.origin.url)/main/index/\(path)")
                    let here = try await httpGet("\(outside.origin.url)/main/index/\(path)")
                    #expect(here.status == 200 && here.text == there.text)
                }
                try await build(app, "sparse+\(inside.origin.url)/main/index/", in: inside.folder)
                #expect(try await inside.origin.command(["verify"]).status == 0)
            }
            let plain = try StaticRegistry(folder: folder, in: outside.folder)
            try await plain.serve { try await build(app, plain.index, in: outside.folder) }
        }
    }

    /// With crates.io as the repository has it, and the lock file in the words of the origin's own address.
    private func lock(_ app: String, _ system: LiveSystem) async throws {
        let index = "sparse+\(system.origin.url)/main/index/"
        let cargo = try RealCargo(in: system.folder, configuration: MixedProject.alone(index))
        let locked = try await cargo.run(["generate-lockfile"], in: app)
        try #require(locked.status == 0, "\(locked.text)")
    }

    private func build(_ app: String, _ index: String, in folder: String) async throws {
        try FileManager.default.removeItem(atPath: app + "/Cargo.lock")
        let cargo = try RealCargo(in: folder, configuration: MixedProject.alone(index))
        let target = folder + "/target-\(UInt32.random(in: .min ... .max))"
        let built = try await cargo.run(["build"], in: app, environment: ["CARGO_TARGET_DIR": target])
        try #require(built.status == 0, "\(built.text)")
        #expect(built.text.contains("Downloaded utf8parse"), "\(built.text)")
        #expect(try await runTool(target + "/debug/app", []).output == "adler 300286872\n")
    }
}
