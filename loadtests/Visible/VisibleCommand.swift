import ArgumentParser
import NIOCore

/// `longshore-bench visible`: from a publish to every edge.
struct VisibleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "visible",
        abstract: "Measures how long it takes until a published version is in each edge's index.",
        discussion: """
            Publishes small versions of one crate of its own at the given rate, and asks each
            edge for that crate's index file without a pause.

              since request  from the sending of the publish to the answer that has the version
              after answer   the same from the publish's 200; 0 if it was there before

            The commit lies between the two beginnings. Edges are those that the origin lists,
            or those of --edge.
            """)

    @OptionGroup var options: WatchOptions
    @Option(name: .customLong("edge"), help: ArgumentHelp("An edge; may be repeated.", valueName: "name=url"))
    var edges: [WatchedEdge] = []
    @Option(help: "Versions to publish, 1 to 200.") var versions = 30
    @Option(help: "Publishes a second, at most.") var rate = 2.0

    func validate() throws {
        guard (1...200).contains(versions) else { throw ValidationError("--versions takes 1 to 200") }
        guard rate > 0, rate <= 100 else { throw ValidationError("--rate takes a number above 0, 100 at most") }
    }

    func run() async throws {
        let (versions, rate) = (versions, rate)
        let reports = try await options.with(edges) { scene in
            try await VisibleRun(scene: scene, versions: versions, rate: rate).measure()
        }
        print(options.json ? try Console.json(reports) : Self.text(reports))
        let missed = reports.filter { $0.unseen > 0 }.map(\.edge)
        guard missed.isEmpty else {
            throw BenchFailure("versions never came to \(missed.joined(separator: ", ")); the edge's log says why")
        }
    }

    private static func text(_ reports: [VisibleReport]) -> String {
        let rows = reports.map { report in
            [report.edge] + (report.since_request?.cells ?? ["-", "-", "-"])
                + (report.after_answer?.cells ?? ["-", "-", "-"]) + ["\(report.unseen)"]
        }
        return Console.table(
            [
                "EDGE", "SINCE REQUEST P50", "P99", "MAX", "AFTER ANSWER P50", "P99", "MAX", "UNSEEN",
            ], rows)
    }
}

/// What one edge showed; times in milliseconds.
struct VisibleReport: Sendable, Encodable {
    let edge: String
    let since_request: Percentiles?
    let after_answer: Percentiles?
    /// Versions that were not seen within the time.
    let unseen: Int
}

/// Publishes and watches.
struct VisibleRun: Sendable {
    static let lastSightTimeMax: Duration = .seconds(15)

    let scene: WatchScene
    let versions: Int
    let rate: Double

    func measure() async throws -> [VisibleReport] {
        let crate = Publisher.freshName()
        let watches = try scene.edges.map { ($0, try scene.watch($0, crate)) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for (_, watch) in watches { group.addTask { await watch.run() } }
            let times = try await publish(crate)
            var reports: [VisibleReport] = []
            for (edge, watch) in watches {
                _ = try await watch.wait(upTo: Self.lastSightTimeMax, since: times[0].sent) { $0.versions >= versions }
                reports.append(Self.report(edge, watch, times))
            }
            group.cancelAll()
            return reports
        }
    }

    private func publish(_ crate: String) async throws -> [(sent: NIODeadline, answered: NIODeadline)] {
        var times: [(sent: NIODeadline, answered: NIODeadline)] = []
        let begin = ContinuousClock.now
        for number in 0..<versions {
            try await Task.sleep(until: begin + .seconds(Double(number) / rate), clock: .continuous)
            let sent = NIODeadline.now()
            try await scene.publisher.publish(crate, "1.0.\(number)")
            times.append((sent, .now()))
            if number % 25 == 24 { Console.note("\(number + 1) of \(versions) versions") }
        }
        return times
    }

    private static func report(
        _ edge: WatchedEdge, _ watch: IndexWatch, _ times: [(sent: NIODeadline, answered: NIODeadline)]
    ) -> VisibleReport {
        var (sinceRequest, afterAnswer): ([Double], [Double]) = ([], [])
        for (number, time) in times.enumerated() {
            guard let seen = watch.first(since: time.sent, { $0.versions > number }) else { continue }
            sinceRequest.append(Double((seen - time.sent).nanoseconds) / 1e6)
            afterAnswer.append(max(0, Double((seen - time.answered).nanoseconds) / 1e6))
        }
        return VisibleReport(
            edge: edge.name, since_request: Percentiles(sinceRequest), after_answer: Percentiles(afterAnswer),
            unseen: times.count - sinceRequest.count)
    }
}
