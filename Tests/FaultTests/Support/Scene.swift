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
        /// Changes the places where parts run: a small disk, another clock.
        var changePlaces:
            @Sendable (_ near: inout LivePlace, _ far: inout LivePlace, _ folder: String) async throws -> Void =
                { _, _, _ in }
        /// False: the scenario publishes by itself.
        var publishes = true

        enum Database: Sendable { case shared, own, withStandby }
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
    private let state = Mutex(State())

    private struct State {
        /// Counts what the scenario did; a change that saw two of them proves nothing about I10.
        var faults = 0
        var isCalm = true
        var fresh: [String] = []
        var notes: [String] = []
        var writesChecked = 0
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
                edgeFlags: ["--lease-time", "2s"] + plan.edgeFlags, originPlace: stage.near,
                edgePlaces: ["eu": stage.far, "us": stage.near]
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
            if plan.publishes { group.addTask { await self.publishOn() } }
            do {
                try await Task.sleep(for: .milliseconds(500))
                try await body(self)
                try await revoke(at: system.edges)
            } catch {
                Issue.record("\(name): \(error)")
            }
            group.cancelAll()
        }
        do { try await agree(questions) } catch { Issue.record("\(name): \(error)") }
        conclude()
    }

    private func conclude() {
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

    /// Waits until all edges have applied what the database holds now and call themselves fresh, and notes how long
    /// that took since `repair`.
    func untilFresh(since repair: ContinuousClock.Instant = .now) async throws {
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
    private func headNow() async throws -> UInt64 {
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

// MARK: - Changes and what edges make of them

extension Scene {
    /// Publishes and yanks until it is cancelled; what is answered 200 in calm times is read back at once (I10).
    private func publishOn() async {
        while !Task.isCancelled {
            await publishAndCheck()
            try? await Task.sleep(for: .milliseconds(150))
        }
    }

    private func publishAndCheck() async {
        let before = state.withLock { ($0.faults, $0.isCalm) }
        let lateBefore = lateLines()
        guard let made = await publisher.step(), before.1, let question = try? Watch.Question("main", made.crate)
        else { return }
        for edge in system.edges {
            let answer = await watch.read(question, at: edge)
            let line = answer.flatMap { try? Line.all(in: $0) }?.first { $0.vers == made.version }
            // Something broke meanwhile, or the origin has said in its log that it did not wait for this edge.
            let isExcused =
                state.withLock { ($0.faults, $0.isCalm) } != before
                || lateLines().dropFirst(lateBefore.count).contains { $0.contains(edge.name) }
            if line?.yanked == made.yanked {
                state.withLock { $0.writesChecked += 1 }
            } else if !isExcused, !Task.isCancelled {
                watch.object(
                    "I10: \(made.crate) \(made.version) was answered 200 (yanked: \(made.yanked ?? false)) and "
                        + "\(edge.name) says \(answer?.status ?? 0) \(answer?.header("x-cache") ?? "") without it")
            }
        }
    }

    private func lateLines() -> [Substring] {
        system.origins.flatMap { origin in
            let log = (try? String(contentsOfFile: origin.logPath, encoding: .utf8)) ?? ""
            return log.split(separator: "\n").filter { $0.contains("edges that have not applied position") }
        }
    }

    private struct Made: Decodable {
        struct Token: Decodable { let id: Int64 }
        let token: Token
        let secret: String
    }

    /// A token that is revoked opens nothing a second later, at edges that are connected (I7).
    func revoke(at edges: [LiveEdge]) async throws {
        let grant = #"{"name":"brief","grants":[{"actions":["read"],"repositories":["vault"],"crates":["*"]}]}"#
        let made = try await api("POST", "/api/v1/tokens", body: grant)
        try #require(made.status == 201, "\(made.text)")
        let brief = try JSONDecoder().decode(Made.self, from: Data(made.text.utf8))
        let path = try Watch.Question("vault", "pearl").path
        let headers = [("authorization", brief.secret)]
        for edge in edges {
            let answer = await watch.ask(edge, path, headers: headers, as: "brief token")
            if answer?.status != 200 { watch.object("\(edge.name) said \(answer?.status ?? 0) to a new token") }
        }
        let gone = try await api("DELETE", "/api/v1/tokens/\(brief.token.id)")
        try #require(gone.status == 200, "\(gone.text)")
        try await Task.sleep(for: .seconds(1))
        for edge in edges {
            let answer = await watch.ask(edge, path, headers: headers, as: "revoked token")
            if answer?.status != 401, answer?.status != 403 {
                watch.object("I7: \(edge.name) said \(answer?.status ?? 0) to a token revoked a second ago")
            }
        }
    }

    func api(_ method: String, _ path: String, body: String? = nil) async throws -> HTTPAnswer {
        try await httpCall(
            method, system.origins[system.origins.count - 1].url + path,
            headers: [("authorization", token), ("content-type", "application/json")],
            body: body.map { ByteBuffer(string: $0) })
    }

    /// With nothing changing any more, both edges serve the origin's bytes, and all that was answered 200 is there (I1).
    private func agree(_ questions: [Watch.Question]) async throws {
        try await untilFreshAtEnd()
        let origin = system.origins[system.origins.count - 1]
        for question in questions {
            let truth = try await httpGet(origin.url + question.path)
            try #require(truth.status == 200, "\(truth.text)")
            let lines = Dictionary(grouping: try Line.all(in: truth), by: \.vers)
            for made in publisher.answered where "main/\(made.crate)" == question.file {
                let line = lines[made.version]?.first
                if line?.cksum != made.sha256 || (made.yanked != nil && line?.yanked != made.yanked) {
                    watch.object("I1: \(made.crate) \(made.version) was answered 200, and its line is \(line as Any)")
                }
            }
            for edge in system.edges {
                let held = await watch.read(question, at: edge)
                #expect(held?.body == truth.body, "\(name): \(question.file) on \(edge.name)")
                #expect(["HIT", "MISS"].contains(held?.header("x-cache") ?? ""), "\(name): \(edge.name)")
            }
        }
        let rows = try await pool.query("SELECT position FROM feed ORDER BY position")
        let positions = try rows.map { try $0.value("position", as: UInt64.self) }
        #expect(positions == Array(1...watch.ledger.head), "\(name): I3")
    }

    private func untilFreshAtEnd() async throws {
        let head = try await headNow()
        for edge in system.edges {
            try await until("\(edge.name) fresh at \(head)") {
                let figures = await self.watch.noteApplied(edge)
                return figures?.isFresh == true && figures?.position ?? 0 >= head
            }
        }
    }
}
