import Foundation
import Glibc
import Synchronization
import TestSupport

/// What a link does to packets.
struct LinkShape: Sendable {
    /// One way.
    var delayMilliseconds = 20
    /// 0: as fast as the machine.
    var megabitsEachSecond = 0.0
    /// How long a packet may wait for its turn before it is dropped.
    var queueMilliseconds = 400
    var loss = 0.0
}

/// The long way between origin and edge: a program that passes packets from one namespace to the other.
///
/// It is not part of the project: `LONGSHORE_TUNLINK` names it; without it, `../shared/tools/tunlink.py` beside the
/// checkout is looked at.
final class WANLink: Sendable {
    static var program: String {
        if let named = ProcessInfo.processInfo.environment["LONGSHORE_TUNLINK"] { return named }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../../shared/tools/tunlink.py"
        )
        .standardizedFileURL.path
    }

    private let process: ServerProcess
    private let cutNow = Mutex(false)

    /// Joins the namespaces, calls `body` and ends the link.
    static func with<Answer>(
        _ spaces: Namespaces, _ shape: LinkShape, in folder: String, _ body: (WANLink) async throws -> Answer
    ) async throws -> Answer {
        let link = WANLink(spaces, shape, logPath: folder + "/link.log")
        do {
            try await link.untilUp()
            let answer = try await body(link)
            await link.process.stop(seconds: 5)
            return answer
        } catch {
            await link.process.stop(seconds: 5)
            throw error
        }
    }

    private init(_ spaces: Namespaces, _ shape: LinkShape, logPath: String) {
        process = ServerProcess(
            "link",
            arguments: [
                "python3", Self.program, spaces.nearName, spaces.farName, "--delay-ms", "\(shape.delayMilliseconds)",
                "--rate-mbit", "\(shape.megabitsEachSecond)", "--queue-ms", "\(shape.queueMilliseconds)",
                "--loss", "\(shape.loss)", "--prefix", spaces.linkNet,
            ], logPath: logPath)
    }

    var isCut: Bool { cutNow.withLock { $0 } }

    /// From now on every packet is lost, in both directions, and nobody is told.
    func cut() { flip(to: true) }

    func restore() { flip(to: false) }

    private func flip(to isCut: Bool) {
        cutNow.withLock { cutNow in
            guard cutNow != isCut else { return }
            cutNow = isCut
            process.send(SIGUSR1)
        }
    }

    private func untilUp() async throws {
        for _ in 0..<1_200 where !process.hasEnded {
            if process.logTail.contains("up") { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ToolFailed(text: "the link did not come up: \(process.logTail)")
    }

    /// Ends the link of a dead run, whose arguments name the namespace.
    static func killLeftover(naming namespace: String) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(entry),
                let arguments = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
            else { continue }
            let words = arguments.split(separator: "\0")
            if words.contains(where: { $0.hasSuffix("tunlink.py") }), words.contains(Substring(namespace)) {
                kill(pid, SIGKILL)
            }
        }
    }
}
