import Foundation
import Glibc
import NIOCore
import Registry
import Synchronization
import TestSupport
import Testing

/// I1, I3, I11: nothing that was answered 200 is lost, whatever process is killed, and when.
@Suite(.serialized)
struct CrashTests {
    private static let crates = (1...5).map { "hull-\($0)" }

    /// By default 8 rounds of 25 publishes; `LONGSHORE_CRASH_ROUNDS=20 LONGSHORE_CRASH_PUBLISHES=200` is the long run.
    private static let rounds = number("LONGSHORE_CRASH_ROUNDS") ?? 8
    private static let publishesEachRound = number("LONGSHORE_CRASH_PUBLISHES") ?? 25

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    private enum Victim: CaseIterable { case origin, postmaster, backend, both }

    @Test func `I1: rounds of kill -9 lose nothing that was answered 200`() async throws {
        var numbers = SeededNumbers("kill -9 of the origin")
        try await LiveSystem.with { system in
            let registrar = try await Registrar(system.origin)
            var all: [MadeCrate] = []
            for name in Self.crates { all.append(MadeCrate(name, "0.0.0")) }
            for crate in all {
                let answer = try await registrar.publish(crate, to: system.origin.url)
                try #require(answer.status == 200, "\(answer.text)")
            }
            for round in 1...Self.rounds {
                let crates = (0..<Self.publishesEachRound).map { number in
                    MadeCrate(Self.crates[number % 5], "\(round).0.\(number)")
                        .file("src/data.rs", String(repeating: "// \(round) \(number)\n", count: number % 4 * 10_000))
                }
                let victim = Victim.allCases[(round - 1) % 4]
                let moment = Int.random(in: 0..<crates.count * 3 / 4, using: &numbers)
                let delay = Int.random(in: 0...30, using: &numbers)
                let answered = try await publish(crates, registrar, system, killing: victim, after: moment, delay)
                try await check(answered, system)
                // A user whose publish failed tries again: it is accepted now, or was then.
                for crate in crates where !answered.contains(where: { $0.version == crate.version }) {
                    try await again(crate, registrar, system)
                }
                all += crates
            }
            try await check(all, system)
            try await agree(system, lines: all.count)
            let positions = try await feedPositions(system.origin.url, credential: system.edges[0].credential)
            #expect(positions == Array(1...UInt64(positions.count)))
            let verified = try await system.origin.command(["verify"])
            #expect(verified.status == 0, "\(verified.text)")
        }
    }

    /// Publishes with eight at once; kills after `moment` were answered 200 and `delay` milliseconds more.
    ///
    /// - Returns: what was answered 200, when everything runs again.
    private func publish(
        _ crates: [MadeCrate], _ registrar: Registrar, _ system: LiveSystem, killing victim: Victim,
        after moment: Int, _ delay: Int
    ) async throws -> [MadeCrate] {
        let state = Round(count: crates.count)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    while let number = state.take() {
                        // Whoever gets no answer knows nothing, and asserts nothing.
                        guard let answer = try? await registrar.publish(crates[number], to: system.origin.url) else {
                            continue
                        }
                        if answer.status == 200 { state.answered(crates[number]) }
                        #expect([200, 503].contains(answer.status), "\(answer.status) \(answer.text)")
                    }
                }
            }
            // Readers on the edge that lives through it all: the crates exist, so 404 is never true (I11).
            group.addTask {
                while !state.isOver {
                    for name in Self.crates {
                        guard let answer = try? await system.edges[0].get("/main/index/hu/ll/\(name)") else { continue }
                        #expect([200, 503].contains(answer.status), "\(answer.status) \(answer.text)")
                    }
                }
            }
            while state.answered.count < moment, !state.isOver { try? await Task.sleep(for: .milliseconds(1)) }
            try? await Task.sleep(for: .milliseconds(delay))
            await kill(victim, system)
            if victim == .origin || victim == .both { state.end() }
        }
        if victim == .origin || victim == .both {
            try await system.origin.start()
        } else {
            try await system.origin.ready()
        }
        return state.answered
    }

    private func kill(_ victim: Victim, _ system: LiveSystem) async {
        let postmaster = system.origin.postmasterPID
        switch victim {
        case .origin: await system.origin.killNow()
        case .postmaster: if let postmaster { Glibc.kill(postmaster, SIGKILL) }
        case .backend:
            // PostgreSQL ends all its backends when one dies like this, and recovers.
            if let postmaster, let backend = Self.backends(of: postmaster).randomElement() {
                Glibc.kill(backend, SIGKILL)
            }
        case .both:
            if let postmaster { Glibc.kill(postmaster, SIGKILL) }
            await system.origin.killNow()
        }
    }

    private static func backends(of postmaster: Int32) -> [Int32] {
        let path = "/proc/\(postmaster)/task/\(postmaster)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return children.split(separator: " ").compactMap { Int32($0) }.filter { pid in
            let title = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
            return title.contains("longshore longshore")
        }
    }

    private func again(_ crate: MadeCrate, _ registrar: Registrar, _ system: LiveSystem) async throws {
        var last = ""
        for _ in 0..<300 {
            if let answer = try? await registrar.publish(crate, to: system.origin.url) {
                if answer.status == 200 || answer.text.contains("already uploaded") { return }
                last = answer.text
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("\(crate.name) \(crate.version) can't be published after the crash: \(last)")
    }

    /// Every one of `crates` has its line, with the right checksum, and its bytes come back.
    private func check(_ crates: [MadeCrate], _ system: LiveSystem) async throws {
        let origin = system.origin
        for name in Self.crates {
            let file = try await calmGet(origin.url + "/main/index/hu/ll/\(name)")
            try #require(file.status == 200, "\(file.text)")
            let lines = Dictionary(grouping: try Line.all(in: file), by: \.vers)
            #expect(lines.values.allSatisfy { $0.count == 1 })
            for crate in crates where crate.name == name {
                let bytes = try crate.crate()
                let checksum = sha256(bytes)
                guard let line = lines[crate.version]?.first else {
                    Issue.record("\(name) \(crate.version) was answered 200 and is not in the index")
                    continue
                }
                #expect(line.cksum == checksum)
                let blob = try await calmGet(
                    origin.url + "/main/crates/\(name)/\(crate.version)/\(checksum).crate")
                #expect(blob.status == 200 && blob.body.readableBytesView.elementsEqual(bytes))
            }
        }
    }

    /// Asks again while the origin says that it can't answer yet: its PostgreSQL may be starting.
    private func calmGet(_ url: String) async throws -> HTTPAnswer {
        for _ in 0..<300 {
            let answer = try await httpGet(url)
            guard answer.status == 503 else { return answer }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await httpGet(url)
    }

    /// Both edges serve the origin's bytes as soon as they call them current.
    private func agree(_ system: LiveSystem, lines: Int) async throws {
        var count = 0
        for name in Self.crates {
            let file = try await httpGet(system.origin.url + "/main/index/hu/ll/\(name)")
            count += try Line.all(in: file).count
            for edge in system.edges {
                let held = try await current(edge, "/main/index/hu/ll/\(name)")
                #expect(held.status == 200 && held.body == file.body, "\(name) on \(edge.name)")
                #expect(held.header("etag") == file.header("etag"))
            }
        }
        #expect(count == lines)
    }

    /// Asks again while the edge says that it is cut off: after a crash it comes back to its origin by itself, in seconds.
    private func current(_ edge: LiveEdge, _ path: String) async throws -> HTTPAnswer {
        for _ in 0..<300 {
            let answer = try await edge.get(path)
            guard answer.status == 503 || answer.header("x-cache") == "STALE" else { return answer }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await edge.get(path)
    }
}

/// What the publishers of one round share.
private final class Round: Sendable {
    private struct State {
        var next = 0
        var answered: [MadeCrate] = []
    }

    private let count: Int
    private let state = Mutex(State())

    init(count: Int) { self.count = count }

    /// The next number; nil when the round is over.
    func take() -> Int? {
        state.withLock { state in
            guard state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    func answered(_ crate: MadeCrate) { state.withLock { $0.answered.append(crate) } }
    func end() { state.withLock { $0.next = count } }

    var answered: [MadeCrate] { state.withLock { $0.answered } }
    var isOver: Bool { state.withLock { $0.next >= count } }
}
