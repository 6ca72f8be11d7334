import Foundation

/// A real cargo with a home of its own: no configuration, no cache, no credentials but what a test gives it.
package struct RealCargo: Sendable {
    package let home: String
    /// `cargo` from PATH, or the path of another release.
    package let program: String

    /// - Parameter folder: where homes are made; the caller removes it.
    package init(in folder: String, configuration: String = "", program: String = "cargo") throws {
        home = "\(folder)/cargo-\(UUID().uuidString.prefix(8))"
        self.program = program
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try configuration.write(toFile: home + "/config.toml", atomically: true, encoding: .utf8)
    }

    /// - Parameter environment: added; `CARGO_REGISTRIES_NAME_TOKEN` for credentials.
    @discardableResult
    package func run(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:], seconds: Int = 600
    ) async throws -> ToolResult {
        var all: [String: String?] = [
            "CARGO_HOME": home, "CARGO_TERM_COLOR": "never", "CARGO_TERM_PROGRESS_WHEN": "never",
            "CARGO_INCREMENTAL": "0", "CARGO_PROFILE_DEV_DEBUG": "0", "http_proxy": nil, "https_proxy": nil,
            "HTTP_PROXY": nil, "HTTPS_PROXY": nil, "ALL_PROXY": nil, "all_proxy": nil,
        ]
        all.merge(environment) { _, new in new }
        return try await runTool(program, arguments, in: folder, environment: all, seconds: seconds)
    }
}
