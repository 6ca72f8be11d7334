import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A PostgreSQL server that we started as a child process.
final class EmbeddedClusterPostmaster: Sendable {
    private enum State {
        case starting
        case running(pid_t)
        case ended
    }

    private let state = Mutex(State.starting)

    /// Starts the server; whether it comes up shows in its socket, or in `hasEnded`.
    init(_ tools: EmbeddedClusterTools, _ folder: EmbeddedClusterFolder, isDurable: Bool) {
        let arguments = Self.arguments(folder, isDurable: isDurable)
        Task {
            // Why it ended, or did not start, stands in the log, which whoever sees `hasEnded` reads.
            try? await tools.serve(arguments, log: folder.log) { pid in
                self.state.withLock { $0 = .running(pid) }
            }
            self.state.withLock { $0 = .ended }
        }
    }

    var hasEnded: Bool {
        state.withLock { if case .ended = $0 { true } else { false } }
    }

    /// The process id while it runs.
    var pid: Int32? {
        state.withLock { if case .running(let pid) = $0 { pid } else { nil } }
    }

    /// Stops the server: fast (clients are cut off, everything is written), then, if that takes too long, harder.
    ///
    /// - Parameter fastMax: how long a fast shutdown may take; after an immediate one the next start recovers.
    func stop(fastMax: Duration) async {
        for (signal, patience) in [(SIGINT, fastMax), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(10))] {
            let limit = ContinuousClock.now + patience
            var wasSent = false
            while !hasEnded, ContinuousClock.now < limit {
                if !wasSent, let pid { wasSent = kill(pid, signal) == 0 }
                // Stopping goes on in a cancelled task too, where `Task.sleep` would not wait.
                await Task { try? await Task.sleep(for: .milliseconds(20)) }.value
            }
            if hasEnded { return }
        }
    }

    /// Where it listens and how it keeps data is ours to say; the rest is the operator's, in `postgresql.conf`.
    private static func arguments(_ folder: EmbeddedClusterFolder, isDurable: Bool) -> [String] {
        let durable = isDurable ? "on" : "off"
        let settings = [
            "listen_addresses=", "unix_socket_directories=\(folder.socketFolder)", "unix_socket_permissions=0700",
            "port=5432", "fsync=\(durable)", "full_page_writes=\(durable)", "synchronous_commit=on",
            "logging_collector=off", "log_destination=stderr", "log_line_prefix=%m [%p] ", "log_checkpoints=off",
            // LOG, FATAL and PANIC: errors of statements reach who sent them, and may quote data.
            "log_min_messages=log", "log_min_error_statement=panic",
        ]
        return ["-D", folder.data] + settings.flatMap { ["-c", $0] }
    }
}

extension EmbeddedClusterFolder {
    /// The server that a program before us left running on this data, if its process is one.
    ///
    /// A `postmaster.pid` whose process is gone is PostgreSQL's to judge. One whose number now belongs to another
    /// program of the same user (after a reboot, or as a zombie) would make PostgreSQL refuse to start for ever: it is removed, which is
    /// safe because we hold the lock, and because PostgreSQL still refuses while any old process holds its memory.
    ///
    /// - Parameter onStale: told the number when such a file was removed.
    func leftoverPostmaster(onStale: (pid_t) -> Void) -> pid_t? {
        let file = "\(data)/postmaster.pid"
        guard let bytes = FileManager.default.contents(atPath: file),
            let first = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first,
            let pid = pid_t(first), pid > 1, kill(pid, 0) == 0
        else { return nil }
        // Without /proc there is no telling; PostgreSQL's own checks decide.
        guard FileFacts("/proc/self/cwd") != nil else { return pid }
        // A postmaster works in its data folder.
        if Self.workingDirectory(of: pid) == data { return pid }
        onStale(pid)
        unlink(file)
        // PostgreSQL asks the socket's lock file the same question, and would be refused by it just so.
        unlink("\(socketFolder)/.s.PGSQL.5432.lock")
        return nil
    }

    private static func workingDirectory(of pid: pid_t) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(pid)/cwd", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
