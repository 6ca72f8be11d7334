import Foundation
import Testing

/// The simulator's mutations against the code that they break: a patch that no longer fits would break nothing.
struct MutationPatchTests {
    private static let folder = "Tests/SimulationTests/mutations"

    @Test func `every mutation of the simulator fits the code`() throws {
        let patches = try Project.files(in: Self.folder, ending: ".patch").map(\.path)
        #expect(!patches.isEmpty)
        let objection = try objection(to: patches)
        #expect(objection == nil)
    }

    @Test func `a mutation that does not fit is noticed`() throws {
        let patch = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).patch")
        defer { try? FileManager.default.removeItem(at: patch) }
        let text = """
            --- a/Package.swift
            +++ b/Package.swift
            @@ -1 +1 @@
            -// a line that stands nowhere
            +// another

            """
        try text.write(to: patch, atomically: true, encoding: .utf8)
        #expect(try objection(to: [patch.path])?.contains("Package.swift") == true)
    }

    /// Applies them one upon the other as `mutate` does, and changes nothing.
    ///
    /// - Returns: what git says against them.
    private func objection(to patches: [String]) throws -> String? {
        let (git, errors) = (Process(), Pipe())
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "apply", "--check", "--unidiff-zero", "--recount"] + patches
        git.currentDirectoryURL = Project.folder
        git.standardError = errors
        try git.run()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        git.waitUntilExit()
        return git.terminationStatus == 0 ? nil : String(decoding: said, as: UTF8.self)
    }
}
