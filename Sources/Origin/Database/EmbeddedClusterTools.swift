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

    /// - Throws: if we have to become another user and the program for that is missing.
    init(binaries: String, user: EmbeddedClusterUser) throws(EmbeddedClusterError) {
        self.binaries = binaries
        self.user = user
        let places = ["/usr/bin/setpriv", "/bin/setpriv"]
        guard !user.isOther || places.contains(where: { access($0, X_OK) == 0 }) else { throw .noSetpriv }
    }

    /// Our own environment stays here: it may hold secrets, and `PG…` variables that mean another server.
    private static let environment: Environment = .custom([
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "HOME": "/",
    ])

    private static let options: PlatformOptions = {
        var options = PlatformOptions()
        options.createSession = true
        return options
    }()

    /// A shell as the cluster's user, which runs `script` with `arguments` as `$1`, `$2`, …
    ///
    /// Not by `PlatformOptions.userID`: that calls `setgroups` between fork and exec, where glibc waits for threads
    /// that only the parent has, and so hangs now and then. The shell opens the log, as the user and not as root.
    private func shell(_ script: String, _ arguments: [String]) -> (program: String, arguments: Arguments) {
        let command = ["sh", "-c", "cd / && \(script)", "sh"] + arguments
        guard user.isOther else { return ("sh", Arguments(Array(command.dropFirst()))) }
        let switching = ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups", "--"]
        return ("setpriv", Arguments(switching + command))
    }

    /// Runs a program to its end.
    ///
    /// - Throws: `failed` with the last lines of its output if its exit code is not 0.
    func run(_ program: String, _ arguments: [String]) async throws {
        let shell = shell(#"exec "$@" 2>&1"#, ["\(binaries)/\(program)"] + arguments)
        let ended = try await Subprocess.run(
            .name(shell.program), arguments: shell.arguments, environment: Self.environment,
            platformOptions: Self.options, output: .string(limit: 256 << 10))
        guard ended.terminationStatus.isSuccess else {
            throw EmbeddedClusterError.failed(program: program, lines: ended.standardOutput.lastLines(6))
        }
    }

    /// Runs the server until it ends, with its output appended to `log`.
    ///
    /// - Parameter onStart: told the process id.
    func serve(_ arguments: [String], log: String, onStart: @escaping @Sendable (Int32) -> Void) async throws {
        let script = #"log=$1 && shift && exec "$@" >>"$log" 2>&1"#
        let shell = shell(script, [log, "\(binaries)/postgres"] + arguments)
        _ = try await Subprocess.run(
            .name(shell.program), arguments: shell.arguments, environment: Self.environment,
            platformOptions: Self.options, input: .none, output: .discarded, error: .discarded
        ) { onStart($0.processIdentifier.value) }
    }
}

extension String {
    /// The last `count` lines that are not empty.
    func lastLines(_ count: Int) -> String { split(whereSeparator: \.isNewline).suffix(count).joined(separator: "\n") }
}
