import ArgumentParser
import NIOCore
import Subprocess

/// `longshore-bench cut`: an edge loses its origin and finds it again.
struct CutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Measures when an edge notices that it is cut off, and when it is fresh again.",
        discussion: """
            Publishes a version and waits until the edge has it, runs --cut, publishes a second
            version that the edge can't hear of, runs --meanwhile, and after --seconds --restore.

              noticed  from the cut to the first answer marked stale; none if the cut is too short
              fresh    from the restoring to the first answer that has the second version and is
                       not marked stale

            The commands are run with `sh -c`; bench must reach the edge and the origin on ways
            that are not cut. loadtests/measure-wan does all of it with network namespaces.
            """)

    @OptionGroup var options: WatchOptions
    @Option(help: ArgumentHelp("The edge that is cut off.", valueName: "name=url")) var edge: WatchedEdge
    @Option(help: ArgumentHelp("Cuts the link between origin and edge.", valueName: "command")) var cut: String
    @Option(help: ArgumentHelp("Restores it.", valueName: "command")) var restore: String
    @Option(help: ArgumentHelp("Run while it is cut.", valueName: "command")) var meanwhile: String?
    @Option(help: "How long it is cut, 1 to 3600.") var seconds = 60

    func validate() throws {
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds takes 1 to 3600") }
    }

    func run() async throws {
        let run = CutRun(cut: cut, restore: restore, meanwhile: meanwhile, seconds: seconds)
        let edge = edge
        let report = try await options.with([edge]) { scene in try await run.measure(scene, edge) }
        print(options.json ? try Console.json(report) : report.text)
        guard report.fresh_ms != nil else {
            throw BenchFailure("\(edge.name) was not fresh again within \(CutRun.freshTimeMax); its log says why")
        }
    }
}

/// What a cut showed; times in milliseconds.
struct CutReport: Sendable, Encodable {
    let edge: String
    let cut_ms: Double
    /// Nil: no answer was marked stale.
    let noticed_ms: Double?
    let fresh_ms: Double?

    var text: String {
        func shown(_ time: Double?) -> String { time.map { "\(Int($0.rounded())) ms" } ?? "not at all" }
        return "\(edge): cut for \(shown(cut_ms)), noticed after \(shown(noticed_ms)), fresh after \(shown(fresh_ms))"
    }
}

/// One cut.
struct CutRun: Sendable {
    static let freshTimeMax: Duration = .seconds(60)
    private static let firstSightTimeMax: Duration = .seconds(15)

    let cut: String
    let restore: String
    let meanwhile: String?
    let seconds: Int

    func measure(_ scene: WatchScene, _ edge: WatchedEdge) async throws -> CutReport {
        let crate = Publisher.freshName()
        let watch = try scene.watch(edge, crate)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run() }
            let begin = NIODeadline.now()
            try await scene.publisher.publish(crate, "1.0.0")
            let ready = try await watch.wait(upTo: Self.firstSightTimeMax, since: begin) {
                $0.versions == 1 && !$0.isStale
            }
            guard ready != nil else { throw BenchFailure("\(edge.name) never had the first version: is it connected?") }
            let report = try await whileCut(scene, crate, edge, watch)
            group.cancelAll()
            return report
        }
    }

    private func whileCut(
        _ scene: WatchScene, _ crate: String, _ edge: WatchedEdge, _ watch: IndexWatch
    ) async throws -> CutReport {
        Console.note("cutting \(edge.name) off for \(seconds) s")
        let end = ContinuousClock.now + .seconds(seconds)
        let cutAt = NIODeadline.now()
        try await Self.shell(cut)
        do {
            try await scene.publisher.publish(crate, "1.0.1")
            if let meanwhile { try await Self.shell(meanwhile) }
            try await Task.sleep(until: end, clock: .continuous)
        } catch {
            // The link must not stay cut because a measurement failed; the first failure is the one to tell.
            try? await Self.shell(restore)
            throw error
        }
        let restoredAt = NIODeadline.now()
        try await Self.shell(restore)
        let fresh = try await watch.wait(upTo: Self.freshTimeMax, since: restoredAt) { $0.versions == 2 && !$0.isStale }
        func since(_ start: NIODeadline, _ time: NIODeadline?) -> Double? {
            time.map { (Double(($0 - start).nanoseconds) / 1e4).rounded() / 100 }
        }
        let noticed = watch.first(since: cutAt) { $0.isStale }
        return CutReport(
            edge: edge.name, cut_ms: since(cutAt, restoredAt) ?? 0, noticed_ms: since(cutAt, noticed),
            fresh_ms: since(restoredAt, fresh))
    }

    private static func shell(_ command: String) async throws {
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-c", command], output: .discarded, error: .string(limit: 64 << 10))
        guard result.terminationStatus.isSuccess else {
            throw BenchFailure("`\(command)` failed: \(result.standardError.prefix(300))")
        }
    }
}
