import Foundation
import Glibc
import TestSupport

/// Two network namespaces, `near` for the origin and `far` for an edge, joined by a `WANLink`.
///
/// ```
/// tests 10.77.B+1.1 ── .2 near 10.77.B.1 ══ link ══ 10.77.B.2 far 10.77.B+2.2 ── .1 tests
/// ```
/// The tests reach both sides past the link, so that they can ask while it is cut. Names begin with `prefix` and carry
/// the pid of the run; what a killed run left behind is removed by the next one.
struct Namespaces: Sendable {
    static let prefix = "lsfault-"

    let near: LivePlace
    let far: LivePlace
    let nearName: String
    let farName: String
    /// The first three numbers of the link's addresses.
    let linkNet: String

    /// For `.enabled(if:)`: needs root, `ip`, python3 and the link's program.
    static var isPossible: Bool {
        geteuid() == 0 && FileManager.default.fileExists(atPath: "/dev/net/tun")
            && FileManager.default.fileExists(atPath: WANLink.program)
            && ["ip", "python3", "unshare", "nsenter"].allSatisfy(isOnPath)
    }

    static let reason = "needs root, /dev/net/tun, ip, python3 and tunlink.py (LONGSHORE_TUNLINK)"

    static func isOnPath(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            access("\($0)/\(program)", X_OK) == 0
        }
    }

    /// Makes both, calls `body`, removes both, whichever way it ends.
    ///
    /// - Parameter throughTests: edges find the origin in the tests' own namespace, where a balancer listens.
    static func with<Answer>(
        throughTests: Bool = false, _ body: (Namespaces) async throws -> Answer
    ) async throws -> Answer {
        try await removeLeftovers()
        let spaces = Namespaces(throughTests: throughTests)
        do {
            try await spaces.make()
            let answer = try await body(spaces)
            await spaces.remove()
            return answer
        } catch {
            await spaces.remove()
            throw error
        }
    }

    private init(throughTests: Bool) {
        let pid = ProcessInfo.processInfo.processIdentifier
        // Several runs on one machine hardly ever meet.
        let block = 4 * (Int(pid) % 60)
        (nearName, farName) = ("\(Self.prefix)\(pid)-near", "\(Self.prefix)\(pid)-far")
        linkNet = "10.77.\(block)"
        let tests = "10.77.\(block + 1).1"
        near = LivePlace(
            prefix: ["ip", "netns", "exec", nearName], address: "10.77.\(block + 1).2",
            originHost: throughTests ? tests : "127.0.0.1")
        far = LivePlace(
            prefix: ["ip", "netns", "exec", farName], address: "10.77.\(block + 2).2",
            originHost: throughTests ? tests : "10.77.\(block).1")
    }

    private func make() async throws {
        for (name, place, side) in [(nearName, near, "n"), (farName, far, "f")] {
            let (outer, inner) = (cable(side), cable(side) + "i")
            let own = place.address.split(separator: ".").dropLast().joined(separator: ".") + ".1"
            try await ip("netns", "add", name)
            try await ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
            try await ip("addr", "add", "\(own)/30", "dev", outer)
            try await ip("link", "set", outer, "up")
            try await ip("-n", name, "addr", "add", "\(place.address)/30", "dev", inner)
            try await ip("-n", name, "link", "set", inner, "up")
            try await ip("-n", name, "link", "set", "lo", "up")
            // A connection of one part must not sit on the port that another, or the same, is told to listen on.
            try await write("\(portsGivenOut.upperBound) 60000", to: "ip_local_port_range", in: name)
        }
    }

    private func cable(_ side: String) -> String { "lsf\(getpid())\(side)" }

    private func write(_ value: String, to setting: String, in name: String) async throws {
        let written = try await runTool(
            "ip", ["netns", "exec", name, "sh", "-c", "echo \(value) >/proc/sys/net/ipv4/\(setting)"])
        guard written.status == 0 else { throw ToolFailed(text: written.text) }
    }

    /// Lets the far side reach the tests' namespace over the link and through the near side; the link must be up.
    func routeThroughTests() async throws {
        let tests = near.originHost ?? ""
        try await ip("-n", farName, "route", "add", "\(tests)/32", "via", "\(linkNet).1")
        try await ip("route", "add", "\(linkNet).2/32", "via", near.address)
        try await write("1", to: "ip_forward", in: nearName)
    }

    private func remove() async {
        // The kernel takes its time to remove what was in a namespace, and the next scenario uses the same names.
        for side in ["n", "f"] { _ = try? await runTool("ip", ["link", "del", cable(side)]) }
        for name in [nearName, farName] { await Self.remove(name) }
    }

    /// Ends what still runs in it, by pid, and deletes it; its virtual cables go with it.
    private static func remove(_ name: String) async {
        if let inside = try? await runTool("ip", ["netns", "pids", name]), inside.status == 0 {
            for pid in inside.output.split(whereSeparator: \.isWhitespace).compactMap({ pid_t($0) }) {
                kill(pid, SIGKILL)
            }
        }
        // What is still being taken down may hold the name for a moment.
        for _ in 0..<50 {
            guard let gone = try? await runTool("ip", ["netns", "del", name]), gone.status != 0 else { return }
            guard gone.text.contains("busy") else { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Of runs whose process is gone.
    private static func removeLeftovers() async throws {
        let listed = try await ipText("netns", "list")
        for line in listed.split(separator: "\n") where line.hasPrefix(prefix) {
            let name = String(line.prefix { $0 != " " })
            guard let pid = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" }), kill(pid, 0) != 0 else {
                continue
            }
            WANLink.killLeftover(naming: name)
            await remove(name)
        }
    }
}

/// Something that a scenario needs did not come.
struct ToolFailed: Error, CustomStringConvertible {
    let text: String
    var description: String { "the scenario could not go on: \(text)" }
}

private func ip(_ arguments: String...) async throws {
    let result = try await runTool("ip", arguments)
    guard result.status == 0 else {
        throw ToolFailed(text: "ip \(arguments.joined(separator: " ")): \(result.text)")
    }
}

private func ipText(_ arguments: String...) async throws -> String {
    let result = try await runTool("ip", arguments)
    guard result.status == 0 else { throw ToolFailed(text: result.text) }
    return result.output
}
