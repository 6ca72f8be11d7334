import Foundation
import TestSupport
import Testing

/// What `./up` and `./test` say on a machine that lacks something.
struct ScriptTests {
    /// Runs one function of `.ci/packages.sh` under the scripts' own options, with a PATH of a few plain tools.
    private func run(_ function: String, extra tools: [String: String] = [:]) async throws -> ToolResult {
        try await withTemporaryFolder("script") { folder in
            for tool in ["sed", "sort", "head"] {
                let place = try await runTool("sh", ["-c", "command -v \(tool)"]).output
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/\(tool)",
                    withDestinationPath: place.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            for (tool, script) in tools {
                try "#!/bin/sh\n\(script)\n".write(toFile: "\(folder)/\(tool)", atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/\(tool)")
            }
            let script = "set -euo pipefail; . .ci/packages.sh; PATH=$0; \(function); echo went on"
            return try await runTool("bash", ["-c", script, folder], in: projectFolder)
        }
    }

    @Test(arguments: [
        ("check_cargo", "", "there is no cargo on PATH: install Rust from https://rustup.rs"),
        ("check_cargo", "exit 126", "there is no cargo on PATH"),
        ("check_cargo", "echo cargo 1.60.0", "cargo 1.60.0 cannot read sparse registries"),
        ("check_swift", "exit 1", "`swift --version` does not work"),
        ("check_swift", "echo Swift version 5.9", "Swift 5.9 is too old"),
    ])
    func `a program that is missing, broken or old is told in a sentence`(
        function: String, program: String, sentence: String
    ) async throws {
        let name = function == "check_cargo" ? "cargo" : "swift"
        let result = try await run(function, extra: program.isEmpty ? [:] : [name: program])
        #expect(result.status == 1, "\(result.text)")
        #expect(result.errors.contains(sentence), "\(result.text)")
    }

    @Test func `a user without sudo is told what to ask for`() async throws {
        let result = try await run(
            "install_packages yes 'nonesuch|command nonesuch|nothing'",
            extra: ["apt-get": "exit 1", "id": "echo 1000"])
        #expect(result.status == 1)
        #expect(result.errors.contains("ask an administrator for: apt-get install nonesuch"), "\(result.text)")
    }
}

/// The checkout that these tests were built from.
let projectFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
