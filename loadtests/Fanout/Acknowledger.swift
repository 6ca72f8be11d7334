import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Registry

/// Tells the origin what subscribers have applied, as edges do, over a bounded number of connections.
struct Acknowledger: Sendable {
    static let connectionsMax = 32

    private let queue: AsyncStream<Acknowledgement>
    private let entry: AsyncStream<Acknowledgement>.Continuation

    init() { (queue, entry) = AsyncStream.makeStream() }

    func acknowledge(_ stream: String, _ position: UInt64) {
        entry.yield(Acknowledgement(stream: stream, position: position))
    }

    func finish() { entry.finish() }

    /// Sends until `finish`.
    ///
    /// - Throws: `BenchFailure` when the origin refuses one.
    func run(_ url: String, credential: String, web: Web) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            for await item in queue {
                if running == Self.connectionsMax {
                    try await group.next()
                    running -= 1
                }
                group.addTask { try await Self.send(item, url, credential, web) }
                running += 1
            }
            try await group.waitForAll()
        }
    }

    private static func send(_ item: Acknowledgement, _ url: String, _ credential: String, _ web: Web) async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer \(credential)")
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(try JSONEncoder().encode(item))
        let response = try await web.client.execute(request, timeout: Web.answerTimeMax)
        _ = try await response.body.collect(upTo: Web.pageBytesMax)
        guard response.status == .noContent else {
            throw BenchFailure("\(url) answers \(response.status.code) to an acknowledgement")
        }
    }
}
