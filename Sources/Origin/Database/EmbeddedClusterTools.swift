import Subprocess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Starts PostgreSQL's programs as the cluster's user, in a session of their own so that a terminal's Ctrl-C, which is
/// meant for us, does not reach them.
struct EmbeddedClusterTools: Sendable {
    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    let binaries: String
    let user: EmbeddedClusterUser

    /// Our own environment stays here: it may hold secrets, and `PG…` variables that mean another server.
    private static let environment: Environment = .custom(["PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"])

    private var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        return options
    }

    /// `sh -c script sh …` as the cluster's user.
    ///
    /// `setpriv` changes the user, and not `PlatformOptions`, which would do it between clone and exec: there glibc's
    /// setgroups and setuid wait for ever for a thread that was just being made in the parent (`setxid_mark_thread`).
    private func shell(_ script: String, _ arguments: [String]) -> (program: Executable, arguments: Arguments) {
        let command = ["-c", script, "sh"] + arguments
        guard user.isOther else { return (.name("sh"), Arguments(command)) }
        let change = ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups", "sh"]
        return (.name("setpriv"), Arguments(change + command))
    }

    /// Runs a program to its end.
    ///
    /// - Throws: `failed` with the last lines of its output if its exit code is not 0.
    func run(_ program: String, _ arguments: [String]) async throws {
        // Our working directory may be closed to the other user; `cd /` spares a warning.
        let script = #"cd / && exec "$@" 2>&1"#
        let command = shell(script, ["\(binaries)/\(program)"] + arguments)
        let ended = try await Subprocess.run(
            command.program, arguments: command.arguments, environment: Self.environment, platformOptions: options,
            output: .string(limit: 256 << 10))
        guard ended.terminationStatus.isSuccess else {
            throw EmbeddedClusterError.failed(program: program, lines: ended.standardOutput.lastLines(6))
        }
    }

    /// Runs the server until it ends, with its output appended to `log`.
    ///
    /// - Parameter onStart: told the process id.
    func serve(_ arguments: [String], log: String, onStart: @escaping @Sendable (Int32) -> Void) async throws {
        let script = #"cd / && log=$1 && shift && exec "$@" >>"$log" 2>&1"#
        let command = shell(script, [log, "\(binaries)/postgres"] + arguments)
        _ = try await Subprocess.run(
            command.program, arguments: command.arguments, environment: Self.environment, platformOptions: options,
            input: .none, output: .discarded, error: .discarded
        ) { onStart($0.processIdentifier.value) }
    }
}

extension String {
    /// The last `count` lines that are not empty.
    func lastLines(_ count: Int) -> String { split(whereSeparator: \.isNewline).suffix(count).joined(separator: "\n") }
}
