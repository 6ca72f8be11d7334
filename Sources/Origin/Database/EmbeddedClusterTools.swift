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
        if user.isOther {
            options.userID = user.uid
            options.groupID = user.gid
            options.supplementaryGroups = [user.gid]
        }
        return options
    }

    /// Runs a program to its end.
    ///
    /// - Throws: `failed` with the last lines of its output if its exit code is not 0.
    func run(_ program: String, _ arguments: [String]) async throws {
        // Our working directory may be closed to the other user; `cd /` spares a warning.
        let script = #"cd / && exec "$@" 2>&1"#
        let ended = try await Subprocess.run(
            .name("sh"), arguments: Arguments(["-c", script, "sh", "\(binaries)/\(program)"] + arguments),
            environment: Self.environment, platformOptions: options, output: .string(limit: 256 << 10))
        guard ended.terminationStatus.isSuccess else {
            throw EmbeddedClusterError.failed(program: program, lines: ended.standardOutput.lastLines(6))
        }
    }

    /// Runs the server until it ends, with its output appended to `log`.
    ///
    /// - Parameter onStart: told the process id.
    func serve(_ arguments: [String], log: String, onStart: @escaping @Sendable (Int32) -> Void) async throws {
        let script = #"cd / && log=$1 && shift && exec "$@" >>"$log" 2>&1"#
        _ = try await Subprocess.run(
            .name("sh"), arguments: Arguments(["-c", script, "sh", log, "\(binaries)/postgres"] + arguments),
            environment: Self.environment, platformOptions: options, input: .none, output: .discarded,
            error: .discarded
        ) { onStart($0.processIdentifier.value) }
    }
}

extension String {
    /// The last `count` lines that are not empty.
    func lastLines(_ count: Int) -> String { split(whereSeparator: \.isNewline).suffix(count).joined(separator: "\n") }
}
