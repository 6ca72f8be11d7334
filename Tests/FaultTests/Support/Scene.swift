import Foundation
import NIOCore
import Postgres
import Synchronization
import TestSupport
import Testing

/// One scenario: an origin and an edge `us` on the near side of a long link, an edge `eu` on the far side, clients that
/// never stop reading, a publisher that never stops, and a watch that compares all of it with the database.
///
/// `body` breaks something and repairs it. After it everything must be fresh again and agree.
final class Scene: Sendable {
    /// What an edge may take for true without a word from the origin.
    static let leaseTime: Duration = .seconds(2)
    /// On top of it: the origin's tail looks each second if a notification was lost; the rest is for a loaded machine.
    static let lateMax: Duration = leaseTime + .seconds(3)
    static let freshMax: Duration = .seconds(60)

    struct Plan: Sendable {
        var link = LinkShape()
        var replicas = 1
        var database = Database.shared
        var edgeFlags: [String] = []
        /// Changes the places where parts run: a small disk, another clock. Gets a folder of the scenario's own.
        var changePlaces: @Sendable (_ places: inout Places, _ folder: String) async throws -> Void = { _, _ in }
        /// False: the scenario publishes by itself.
        var publishes = true

        enum Database: Sendable { case shared, own, withStandby }

        struct Places: Sendable {
            /// The origin's, on the near side.
            var origin: LivePlace
            /// The edge's beside it.
            var near: LivePlace
            var far: LivePlace
        }
    }

    let name: String
    let system: LiveSystem
    let link: WANLink
    let watch: Watch
    let publisher: Publisher
    let pool: PostgresPool
    /// Only with a PostgreSQL of its own.
    let postgres: FaultPostgres?
    let token: String
    let state = Mutex(State())

    struct State {
        /// Counts what the scenario did; a change that saw two of them proves nothing about I10.
        var faults = 0
        var isCalm = true
        var fresh: [String] = []
        var notes: [String] = []
        var writesChecked = 0
        var buoys = 0
        var isOver = false
    }

    private init(
        _ name: String, _ system: LiveSystem, _ link: WANLink, _ pool: PostgresPool, _ postgres: FaultPostgres?,
        token: String, publishURL: String
    ) {
        self.name = name
        self.system = system
        self.link = link
        self.pool = pool
        self.postgres = postgres
        self.token = token
        watch = Watch()
        publisher = Publisher(url: publishURL, token: token, watch: watch)
    }

    var far: LiveEdge { system.edges[0] }
    var near: LiveEdge { system.edges[1] }

    /// Runs a scenario; records an issue for every invariant that did not hold, and a row of the report.
    static func run(_ name: String, _ plan: Plan = Plan(), _ body: (Scene) async throws -> Void) async throws {
        try await Stage.with(plan) { stage in
            try await LiveSystem.with(
                replicas: plan.replicas, databaseURL: stage.connectionString, balancer: stage.balancer,
                edgeFlags: ["--lease-time", "2s"] + plan.edgeFlags, originPlace: stage.places.origin,
                edgePlaces: ["eu": stage.places.far, "us": stage.places.near]
            ) { system in
                let token = try await prepare(system)
                let scene = Scene(
                    name, system, stage.link, stage.pool, stage.postgres, token: token,
                    publishURL: stage.balancer?.url ?? system.origin.url)
                try await scene.play(plan, body)
            }
        }
    }

    /// Repositories, and a token that may do everything in them.
    private static func prepare(_ system: LiveSystem) async throws -> String {
        try await system.origin.command(["repository", "create", "main"])
        try await system.origin.command(["repository", "create", "vault", "--private"])
        let actions = ["read", "publish-new", "publish-update", "yank", "owners", "admin"]
        return try await system.origin.token("ann", actions.flatMap { ["--action", $0] })
    }

    private func play(_ plan: Plan, _ body: (Scene) async throws -> Void) async throws {
        for crate in Publisher.crates { _ = await publisher.publish(MadeCrate(crate, "0.1.0")) }
        _ = await publisher.publish(MadeCrate("pearl", "1.0.0"), to: "vault")
        let questions = try Publisher.crates.map { try Watch.Question("main", $0) }
        let secret = try Watch.Question("vault", "pearl")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch.followDatabase(self.pool) }
            for edge in system.edges {
                group.addTask { await self.watch.readIndex(of: edge, questions) }
                group.addTask { await self.watch.download(from: edge) }
                group.addTask { await self.watch.knock(at: edge, secret, token: self.token) }
            }
            let publishing = plan.publishes ? Pending { await self.publishOn() } : nil
            do {
                try await until("all clients are served") { self.watch.isWarm(self.system.edges) }
                try await body(self)
                try await revoke(at: system.edges)
            } catch {
                Issue.record("\(name): \(error)")
            }
            // To its end: a change that nobody waits for could come while both sides are compared.
            state.withLock { $0.isOver = true }
            await publishing?.value
            group.cancelAll()
        }
        do { try await agree(questions) } catch { Issue.record("\(name): \(error)") }
        conclude()
    }

    private func conclude() {
        keepLogs()
        let objections = watch.objections(lateMax: Self.lateMax)
        for objection in objections.prefix(20) { Issue.record("\(name): \(objection)") }
        let (fresh, notes, writes) = state.withLock { ($0.fresh, $0.notes, $0.writesChecked) }
        let checked =
            "\(watch.readCount) index reads, \(publisher.answered.count) publishes (\(writes) read back at once), "
            + "\(watch.ledger.head) positions, \(objections.count) objections"
        FaultReport.add(
            .init(
                scenario: name, codes: watch.codes, fresh: fresh.joined(separator: "; "),
                notes: ([checked] + notes).joined(separator: "; ")))
    }
}

// MARK: - Logs

extension Scene {
    /// With `LONGSHORE_FAULT_LOGS=FOLDER` each part's log stays there, to see what happened.
    private func keepLogs() {
        guard let folder = ProcessInfo.processInfo.environment["LONGSHORE_FAULT_LOGS"] else { return }
        for path in system.origins.map(\.logPath) + system.edges.map(\.logPath) {
            let place = "\(folder)/\(name.replacing(" ", with: "-"))-\(path.split(separator: "/").last ?? "")"
            do { try FileManager.default.copyItem(atPath: path, toPath: place) } catch { print("\(place): \(error)") }
        }
    }
}

// MARK: - Faults

extension Scene {
    /// Words for the report's last column.
    func note(_ text: String) { state.withLock { $0.notes.append(text) } }

    /// From here on edges may be late.
    func breaks() {
        state.withLock {
            $0.faults += 1
            $0.isCalm = false
        }
    }

    /// Publishes until it is answered 200, then waits until all edges have applied that and call themselves fresh; notes
    /// how long it took since `repair`.
    ///
    /// A change made after the repair has to pass, because an edge that has heard nothing of the fault is still fresh.
    func untilFresh(since repair: ContinuousClock.Instant = .now) async throws {
        try await until("a publish is accepted") {
            let number = state.withLock { state in
                defer { state.buoys += 1 }
                return state.buoys
            }
            return await publisher.publish(MadeCrate("buoy", "1.0.\(number)")) != nil
        }
        let head = try await headNow()
        try await withThrowingTaskGroup(of: (String, Duration).self) { group in
            for edge in system.edges {
                group.addTask {
                    while repair.duration(to: .now) < Self.freshMax {
                        if let figures = await self.watch.noteApplied(edge), figures.isFresh, figures.position >= head {
                            return (edge.name, repair.duration(to: .now))
                        }
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    throw NotFresh(edge: edge.name, head: head)
                }
            }
            for try await (edge, took) in group {
                let text = "\(edge) \(Int(took / .milliseconds(1)))"
                state.withLock { $0.fresh.append(text) }
            }
        }
        state.withLock { $0.isCalm = true }
    }

    /// The database's head, as soon as it answers.
    func headNow() async throws -> UInt64 {
        let end = ContinuousClock.now + Self.freshMax
        while true {
            do { return try await watch.learn(pool) } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    struct NotFresh: Error, CustomStringConvertible {
        let edge: String
        let head: UInt64
        var description: String { "\(edge) was not fresh at position \(head) within \(Scene.freshMax)" }
    }

    /// Waits for something that a scenario has brought about; 30 s at most.
    func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !isSo() {
            guard ContinuousClock.now < end else { throw ToolFailed(text: "it never came to this: \(what)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
