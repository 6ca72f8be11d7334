import Glibc
import Foundation
package import Subprocess
import Synchronization

/// A real server process that a test starts, looks at, and ends in whatever way it likes.
package final class ServerProcess: Sendable {
    package let name: String
    /// Everything that the process prints.
    package let logPath: String

    private let running: Task<TerminationStatus, any Error>
    private let life = Life()

    /// - Parameter arguments: the program's path and its arguments.
    package init(_ name: String, arguments: [String], environment: [String: String?] = [:], logPath: String) {
        self.name = name
        self.logPath = logPath
        var keys: [Environment.Key: String?] = [:]
        for (key, value) in environment { keys[.init(stringLiteral: key)] = .some(value) }
        running = Task { [keys, life] in
            defer { life.end() }
            // `exec` keeps the pid, so that signals reach the server and not the shell.
            let result = try await run(
                .name("sh"), arguments: Arguments(["-c", "exec \"$@\" >>\"$0\" 2>&1", logPath] + arguments),
                environment: .inherit.updating(keys), input: .none, output: .discarded, error: .discarded
            ) { execution in
                life.begin(execution.processIdentifier.value)
            }
            return result.terminationStatus
        }
    }

    package var pid: pid_t? { life.pid }

    /// Whatever the end was; also true if it never began.
    package var hasEnded: Bool { life.hasEnded }

    /// Waits for the process to end by itself; true if it exited with 0.
    package func endedWell() async throws -> Bool { try await running.value.isSuccess }

    package func send(_ signal: Int32) {
        guard let pid else { return }
        kill(pid, signal)
    }

    /// Asks it to end and waits; after `seconds` it is killed.
    package func stop(seconds: Int = 40) async {
        send(SIGTERM)
        let killer = Task {
            try await Task.sleep(for: .seconds(seconds))
            send(SIGKILL)
        }
        _ = try? await running.value
        killer.cancel()
    }

    package func killNow() async {
        while pid == nil, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
        send(SIGKILL)
        _ = try? await running.value
    }

    /// The end of its log, for messages of failed expectations.
    package var logTail: String {
        let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(40).joined(separator: "\n")
    }
}

/// The pid, as soon as there is one, and whether all is over.
private final class Life: Sendable {
    private let state = Mutex<(pid: pid_t?, hasEnded: Bool)>((nil, false))

    var pid: pid_t? { state.withLock { $0.pid } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func begin(_ pid: pid_t) { state.withLock { $0.pid = pid } }
    func end() { state.withLock { $0.hasEnded = true } }
}

/// The process that plays a part now; a restarted part has a new one.
package final class Current: Sendable {
    private let held = Mutex<ServerProcess?>(nil)

    package init() {}

    package var process: ServerProcess? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
