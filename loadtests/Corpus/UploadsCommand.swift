import ArgumentParser
import FoundationEssentials

/// `longshore-bench uploads`: how many small crates a registry takes, and how long each upload waits.
struct UploadsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uploads",
        abstract: "Publishes small crates as fast as the registry takes them.",
        discussion: """
            Each client publishes one new crate after the other (closed loop), as `cargo publish` sends it, and waits for
            the answer. What publishes one crate does to edges is measured by `visible`.

              longshore-bench uploads http://127.0.0.1:8080/main --token-file token --clients 4 --seconds 10

            The token needs publish-new. The crates stay: measure a registry of your own.
            """)

    @Argument(help: "Base of the web API: the origin's address and the repository.") var api: String
    @Option(help: ArgumentHelp("A token that may publish new crates.", valueName: "path")) var tokenFile: String
    @Option(help: "Clients that publish at once, 1 to 64.") var clients = 4
    @Option(help: "How long, 1 to 600.") var seconds = 10
    @Flag(help: "Prints JSON.") var json = false

    func validate() throws {
        guard (1...64).contains(clients) else { throw ValidationError("--clients takes 1 to 64") }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds takes 1 to 600") }
    }

    func run() async throws {
        let token = try SecretText.read(tokenFile, flag: "--token-file")
        let (clients, seconds, api) = (clients, seconds, api)
        let times = try await Web.with(tls: Trust.configuration(caFile: nil), connectionsMax: clients) { web in
            let publisher = Publisher(web: web, api: api, token: token)
            // The first upload opens connections and warms caches up; it does not count.
            try await publisher.publish(Publisher.freshName(), "1.0.0")
            return try await Self.publish(publisher, clients: clients, for: .seconds(seconds))
        }
        guard let percentiles = Percentiles(times) else { throw BenchFailure("no upload came to its end in time") }
        let report = UploadsReport(clients: clients, perSecond: Double(times.count) / Double(seconds), ms: percentiles)
        print(json ? try Console.json(report) : report.text)
    }

    /// - Returns: how long each upload took, in milliseconds.
    private static func publish(
        _ publisher: Publisher, clients: Int, for time: Duration
    ) async throws -> [Double] {
        let end = ContinuousClock.now + time
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<clients {
                group.addTask {
                    var times: [Double] = []
                    while ContinuousClock.now < end {
                        let name = Publisher.freshName()
                        let took = try await ContinuousClock().measure { try await publisher.publish(name, "1.0.0") }
                        times.append(took.milliseconds)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

/// What a run of uploads came to.
private struct UploadsReport: Encodable {
    let clients: Int
    let perSecond: Double
    let ms: Percentiles

    var text: String {
        let rate = Int((perSecond * 10).rounded())
        return Console.table(
            ["clients", "uploads", "a second", "p50", "p99", "max"],
            [["\(clients)", "\(ms.count)", "\(rate / 10).\(rate % 10)"] + ms.cells])
    }
}
