import Subprocess

/// What a finished program said.
package struct ToolResult: Sendable {
    package let status: Int
    package let output: String
    package let errors: String

    package init(status: Int, output: String, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }

    /// Both streams, for messages of failed expectations.
    package var text: String { output + errors }
}

/// Runs a program from PATH to its end; both of its streams are kept, at most 8 MiB each.
///
/// - Parameters:
///   - environment: added to this process's own; nil takes a variable away.
///   - seconds: after this long the program is killed and the status is -1.
package func runTool(
    _ name: String, _ arguments: [String], in folder: String = "/", environment: [String: String?] = [:],
    seconds: Int = 120
) async throws -> ToolResult {
    var keys: [Environment.Key: String?] = [:]
    for (key, value) in environment { keys[.init(stringLiteral: key)] = .some(value) }
    let limit = 8 << 20
    // `timeout` ends the program's children with it, which a signal to one process would not.
    let result = try await run(
        .name("timeout"),
        arguments: Arguments(["-k", "5", "\(seconds)", "env", "-C", folder, name] + arguments),
        environment: .inherit.updating(keys), output: .string(limit: limit), error: .string(limit: limit))
    let status: Int =
        switch result.terminationStatus {
        case .exited(let code): code == 124 ? -1 : Int(code)
        case .signaled: -1
        }
    return ToolResult(status: status, output: result.standardOutput, errors: result.standardError)
}
